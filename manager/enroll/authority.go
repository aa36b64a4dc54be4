package enroll

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// localToken is the label of the token of this machine, the only one that never ends.
const localToken = "this machine"

// Config is what Open needs.
type Config struct {
	Dir     string        // exists; nobody else uses it
	Host    string        // this machine
	Life    time.Duration // of agents' certificates; 0 is DefaultLife
	Names   []string      // further names and addresses of the server's certificate
	Outside Files         // certificates of another authority
	Logger  *slog.Logger  // nil says nothing
}

// Authority is who may speak. It is safe for concurrent use.
type Authority struct {
	cfg     Config
	ca      *ca
	outside atomic.Pointer[outside] // never nil
	server  *serverCerts

	mu     sync.RWMutex // over disk and maps: the disk is written first
	disk   *disk
	tokens map[string]Token
	hosts  map[string]Record
	gaps   []gap // between backups and restores; fixed once it is open
}

// Open reads the authority of a data directory, or makes one; it writes a fresh token of
// role admin for this machine. Errors wrap ErrDamaged or ErrExpired, or the cause.
func Open(cfg Config, now time.Time) (*Authority, error) {
	cfg.Life = cmp.Or(cfg.Life, DefaultLife)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	a := &Authority{cfg: cfg}
	var err error
	if a.ca, err = openCA(cfg.Dir, cfg.Host, now); err != nil {
		return nil, err
	}
	if err := a.ReadFiles(cfg.Outside); err != nil {
		return nil, err
	}
	if a.server, err = newServerCerts(a.ca, cfg); err != nil {
		return nil, err
	}
	if a.disk, err = openDisk(cfg.Dir); err != nil {
		return nil, err
	}
	if a.tokens, a.hosts, err = a.disk.load(); err == nil {
		a.gaps, err = a.disk.gaps()
	}
	if err == nil {
		err = a.writeLocalToken(now)
	}
	if err != nil {
		return nil, errors.Join(err, a.disk.close())
	}
	return a, nil
}

// Close closes the files.
func (a *Authority) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.disk.close()
}

// RemoveLocalToken removes what Open wrote for this machine, for a manager that serves
// without TLS: programs that find it would ask in vain.
func RemoveLocalToken(dir string) error {
	err := os.Remove(filepath.Join(dir, TokenFile))
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("remove the token of this machine: %w", err)
}

func (a *Authority) writeLocalToken(now time.Time) error {
	secret := random(secretSize)
	t := Token{ID: random(idSize), Role: RoleAdmin, Label: localToken, Created: now.UTC(), Hash: hash(secret)}
	dropped := a.having(func(old Token) bool { return old.Label == localToken && old.Expires.IsZero() })
	if err := a.store(change{tokens: []Token{t}, dropped: dropped}); err != nil {
		return err
	}
	return writeFile(filepath.Join(a.cfg.Dir, TokenFile), []byte(t.text(secret, a.Pin())+"\n"), 0o600)
}

// store writes a change to the disk, and then to what is in memory. The lock is held.
func (a *Authority) store(c change) error {
	if err := a.disk.write(c); err != nil {
		return err
	}
	for _, id := range c.dropped {
		delete(a.tokens, id)
	}
	for _, t := range c.tokens {
		a.tokens[t.ID] = t
	}
	for _, h := range c.hosts {
		a.hosts[h.Host] = h
	}
	return nil
}

func (a *Authority) having(is func(Token) bool) (ids []string) {
	for id, t := range a.tokens {
		if is(t) {
			ids = append(ids, id)
		}
	}
	return ids
}

// CreateToken makes a token and returns its text, which is kept nowhere. Errors wrap
// ErrInvalid or ErrFull.
func (a *Authority) CreateToken(r TokenRequest, now time.Time) (string, Token, error) {
	t, secret, err := newToken(r, now)
	if err != nil {
		return "", t, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	dropped := a.having(func(old Token) bool { return old.forgotten(now) })
	if len(a.tokens)-len(dropped) >= maxTokens {
		return "", t, fmt.Errorf("make a token: %w: there are %d; those that ended or were revoked are forgotten after a week", ErrFull, maxTokens)
	}
	if err := a.store(change{tokens: []Token{t}, dropped: dropped}); err != nil {
		return "", t, err
	}
	a.cfg.Logger.Info("token made", "token", t.ID, "role", string(t.Role), "label", t.Label, "expires", t.Expires)
	text := t.text(secret, a.Pin())
	t.Hash = ""
	return text, t, nil
}

// Tokens lists the tokens without their hashes, the newest last.
func (a *Authority) Tokens() []Token {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list := make([]Token, 0, len(a.tokens))
	for _, t := range a.tokens {
		t.Hash = ""
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Token) int { return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID)) })
	return list
}

// RevokeToken ends a token. Hosts that joined by it stay. Errors wrap ErrUnknown.
func (a *Authority) RevokeToken(id string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.tokens[id]
	if !ok {
		return fmt.Errorf("token %q: %w; 'cassini token list' has those that are", id, ErrUnknown)
	}
	if t.Revoked.IsZero() {
		t.Revoked = now.UTC()
		a.cfg.Logger.Info("token revoked", "token", id)
	}
	return a.store(change{tokens: []Token{t}})
}

// Bearer says who holds a token. One for joining is nobody's. Errors wrap ErrUnknown,
// ErrExpired, ErrRevoked or ErrForbidden.
func (a *Authority) Bearer(text string, now time.Time) (Who, error) {
	t, err := a.token(text, now)
	if err != nil {
		return Who{}, err
	}
	if t.Role == RoleAgent {
		return Who{}, fmt.Errorf("token %s: %w: it is for joining alone", t.ID, ErrForbidden)
	}
	return Who{Role: t.Role, Token: t.ID}, nil
}

// token finds a token that is valid.
func (a *Authority) token(text string, now time.Time) (Token, error) {
	id, secret, err := parseToken(text)
	if err != nil {
		return Token{}, err
	}
	a.mu.RLock()
	t, ok := a.tokens[id]
	a.mu.RUnlock()
	if !ok {
		return t, fmt.Errorf("token %s: %w: it is another manager's, or was forgotten", id, ErrUnknown)
	}
	return t, t.valid(secret, now)
}

// Agent says whose certificate this is. TLS has checked its signature, and its dates when
// the connection was made. Errors wrap ErrForbidden, ErrExpired or ErrRevoked.
func (a *Authority) Agent(cert *x509.Certificate, now time.Time) (Who, error) {
	host, err := HostOf(cert)
	if err != nil {
		return Who{}, err
	}
	if now.After(cert.NotAfter) {
		return Who{}, fmt.Errorf("the certificate of host %s: %w at %s; run 'cassini join' there with a new token", host, ErrExpired, stamp(cert.NotAfter))
	}
	a.mu.RLock()
	r, known := a.hosts[host]
	a.mu.RUnlock()
	if !bytes.Equal(cert.AuthorityKeyId, a.ca.cert.SubjectKeyId) { // another authority's, which TLS trusts
		if err := r.speaksOutside(cert); err != nil {
			return Who{}, err
		}
		return Who{Role: RoleAgent, Host: host}, nil
	}
	if !known {
		r.Host = host
	}
	if err := r.speaks(cert); err != nil && a.adopt(cert, host, now) != nil {
		return Who{}, err
	}
	return Who{Role: RoleAgent, Host: host}, nil
}
