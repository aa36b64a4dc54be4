package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cassini/model"
)

const (
	askTimeout = 30 * time.Second
	maxAnswer  = 64 << 10 // bytes
)

// Request is what Join needs.
type Request struct {
	Manager string // URL, https
	Token   string
	Pin     string // of the manager's authority; "" is that in the token
	Host    string // the name of this machine
	Machine model.Machine
	Dir     string // exists and is writable
	Way     *Way   // to the manager, instead of its URL
}

// Join gets this host a certificate by a token and keeps it. It can be called again when
// it failed: the key is kept before it is sent, and the manager knows it again. Errors
// wrap ErrInvalid, ErrOtherManager or ErrRefused, or the cause.
func Join(ctx context.Context, r Request) (*Identity, error) {
	pin, err := r.pin()
	if err != nil {
		return nil, err
	}
	key, err := pendingKey(r.Dir, pendingFile)
	if err != nil {
		return nil, err
	}
	a, err := newAsker(r.Manager, r.Way, func(host string) *tls.Config { return r.Way.pinned(pin, host) })
	if err != nil {
		return nil, err
	}
	defer a.client.CloseIdleConnections()
	got, shown, err := a.ask(ctx, question{path: "/api/v1/enroll", host: r.Host, machine: r.Machine, token: strings.TrimSpace(r.Token)}, key)
	if err != nil {
		return nil, fmt.Errorf("get a certificate: %w", err)
	}
	id := got.identity(key, []*x509.Certificate{pinned(shown, pin)})
	if err := id.store(r.Dir); err != nil {
		return nil, err
	}
	return id, errors.Join(keepMachine(r.Dir, housed{Host: id.Host, Machine: r.Machine}), os.Remove(filepath.Join(r.Dir, pendingFile)))
}

// pin is the hash to hold the manager against. One that was named must be the token's.
func (r Request) pin() (string, error) {
	pin, err := Pin(r.Token)
	if err != nil || r.Pin == "" {
		return pin, err
	}
	named, err := ParsePin(r.Pin)
	if err != nil {
		return "", err
	}
	if named != pin {
		return "", fmt.Errorf("%w: the token is of an authority with hash sha256:%s, not sha256:%s; nothing was sent", ErrOtherManager, pin, named)
	}
	return pin, nil
}

// pendingKey is the key of a join that failed, or a new one that is kept for the next.
func pendingKey(dir, file string) (crypto.Signer, error) {
	path := filepath.Join(dir, file)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the key of this host: %w", err)
	}
	if block, _ := pem.Decode(raw); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for this host: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key of this host: %w", err)
	}
	return key, writeFile(path, encode(blockKey, der))
}

// asker asks a manager for certificates.
type asker struct {
	base   string
	client *http.Client
}

func newAsker(manager string, way *Way, secure func(host string) *tls.Config) (*asker, error) {
	if way != nil {
		manager = way.URL()
	}
	u, err := url.Parse(manager)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("manager %q: %w: want a URL such as https://manager.example:1984", manager, ErrInvalid)
	}
	return &asker{strings.TrimSuffix(manager, "/"), &http.Client{
		Timeout:       askTimeout,
		Transport:     way.transport(secure, u.Hostname()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// question is what a manager is asked for a certificate by.
type question struct {
	path, host, token string
	machine           model.Machine
}

// ask asks for a certificate of a key, and returns it and what the manager showed.
func (a *asker) ask(ctx context.Context, q question, key crypto.Signer) (got *answer, shown []*x509.Certificate, err error) {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: q.host}}, key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate request: %w", err)
	}
	body, err := json.Marshal(struct {
		Host    string        `json:"host"`
		Request string        `json:"request"`
		Machine model.Machine `json:"machine,omitzero"`
	}{q.host, string(encode(blockRequest, request)), q.machine})
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+q.path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(keepsHeader, "yes")
	if mark := q.machine.Mark(); mark != "" {
		req.Header.Set(model.MarkHeader, mark)
	}
	if q.token != "" {
		req.Header.Set("Authorization", "Bearer "+q.token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("reach the manager: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("read the manager's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, refusal(resp.Status, raw)
	}
	got, err = parseAnswer(raw, key)
	return got, resp.TLS.PeerCertificates, err
}

func refusal(status string, raw []byte) error {
	var problem struct{ Detail string }
	_ = json.Unmarshal(raw, &problem) // an answer without one still has its status
	return fmt.Errorf("%w: %s: %s", ErrRefused, status, problem.Detail)
}
