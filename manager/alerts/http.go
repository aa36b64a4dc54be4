package alerts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid says that a setting of a receiver cannot be used.
var ErrInvalid = errors.New("invalid receiver")

const (
	sendTimeout = 15 * time.Second
	maxAnswer   = 512 // bytes of an answer that are shown
)

// endpoint is an HTTP server that is told. Names and passwords in its URL are sent as basic
// authentication, and shown nowhere.
type endpoint struct {
	kind   string
	tenant string // whose incidents it is told of; "" is the whole estate's
	url    *url.URL
	name   string
	client *http.Client
}

func newEndpoint(kind, tenant, raw string) (*endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s %q: %w: want a URL such as http://127.0.0.1:9093", kind, redact(raw), ErrInvalid)
	}
	return &endpoint{
		kind: kind, tenant: tenant, url: u, name: nameOf(tenant, kind+"/"+u.Host),
		client: &http.Client{
			Timeout:       sendTimeout,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: sendTimeout, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// redact leaves out what stands before the host.
func redact(raw string) string {
	if at := strings.LastIndexByte(raw, '@'); at >= 0 {
		return "…" + raw[at:]
	}
	return raw
}

// Name implements Receiver.
func (e *endpoint) Name() string { return e.name }

// Key implements Receiver.
func (e *endpoint) Key() string { return keyOf(e.kind, e.tenant, e.url.String()) }

// Tenant implements Receiver.
func (e *endpoint) Tenant() string { return e.tenant }

// Close implements Receiver.
func (e *endpoint) Close() { e.client.CloseIdleConnections() }

// keyOf tells receivers apart on disk without their secrets.
func keyOf(kind, tenant, what string) string {
	if tenant != "" {
		what = tenant + "\x00" + what
	}
	sum := sha256.Sum256([]byte(what))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

// post sends JSON to a path below the URL.
func (e *endpoint) post(ctx context.Context, path string, body []byte, header map[string]string) error {
	target := *e.url
	if path != "" {
		target = *target.JoinPath(path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("tell %s: %w", e.name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "cassini")
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		if shown, ok := errors.AsType[*url.Error](err); ok { // with the URL, and so the secret that may be its path
			err = shown.Err
		}
		return fmt.Errorf("tell %s: %w", e.name, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what matters is the status
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	err = fmt.Errorf("tell %s: it answered %s: %q", e.name, resp.Status, text)
	if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && seconds > 0 && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		return &RetryAfter{After: time.Duration(min(seconds, int(longRest/time.Second))) * time.Second, Err: err}
	}
	return err
}
