package enroll

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cassini/manager/enroll/users"
	"cassini/model"
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
	// Moved hears of each host whose tenant is another from now on, before anybody else
	// does. It must not ask the Authority; nil hears nothing.
	Moved func(host string)
	// Machine is the one that the manager runs on: its name is not another's.
	Machine model.Machine
	// Known says what else is known of a host, for older records. It must not ask the
	// Authority; nil knows nothing.
	Known func(host string) Known
	// Hold says that nothing is to be forgotten because of its age, since the clock may be wrong.
	// Nil never says so.
	Hold func() bool
}

// Authority is who may speak. It is safe for concurrent use.
type Authority struct {
	cfg    Config
	trust  atomic.Pointer[trust] // never nil; changed with the lock held
	server *serverCerts
	shown  verified
	tries  *users.Tries
	broken atomic.Pointer[[]fileStamp] // of files that could not be used

	mu     sync.RWMutex // over disk and maps: the disk is written first
	disk   *disk
	tokens map[string]Token
	hosts  map[string]Record
	names  map[string][]string // of hosts, by host name: nearly always one
	mask   []byte              // fixed once it is open
	gaps   []gap               // between backups and restores; fixed once it is open
}

// Open reads the authority of a data directory, or makes one; it writes a fresh token of
// role admin for this machine. Errors wrap ErrDamaged or ErrExpired, or the cause.
func Open(cfg Config, now time.Time) (*Authority, error) {
	cfg.Life = cmp.Or(cfg.Life, DefaultLife)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	a := &Authority{cfg: cfg, tries: users.NewTries(), names: make(map[string][]string)}
	a.tellLoss()
	var err error
	ca, err := openCA(filepath.Join(cfg.Dir, CAFile), cfg.Host, now)
	if err != nil {
		return nil, err
	}
	a.trust.Store(&trust{ca: ca, outside: &outside{}})
	if err := a.ReadFiles(cfg.Outside); err != nil {
		return nil, err
	}
	if a.server, err = newServerCerts(cfg); err != nil {
		return nil, err
	}
	if a.disk, err = openDisk(cfg.Dir); err != nil {
		return nil, err
	}
	if a.tokens, a.hosts, err = a.disk.load(); err == nil {
		a.gaps, err = a.disk.gaps()
	}
	for _, host := range slices.Sorted(maps.Keys(a.hosts)) {
		a.index(a.hosts[host])
	}
	if err == nil {
		a.mask, err = a.disk.maskKey()
	}
	if err == nil {
		err = a.resume(now)
	}
	if err == nil {
		err = errors.Join(a.enter(a.trust.Load()), a.writeLocalToken(true, now))
	}
	if err != nil {
		return nil, errors.Join(err, a.disk.Close())
	}
	return a, nil
}

// tellLoss says that there is an authority, and no record of what it did.
func (a *Authority) tellLoss() {
	ca, errCA := os.Stat(filepath.Join(a.cfg.Dir, CAFile))
	state, err := os.Stat(filepath.Join(a.cfg.Dir, StateFile))
	if errCA != nil || ca.Size() == 0 || err == nil && state.Size() > 0 {
		return
	}
	a.cfg.Logger.Error(StateFile+" is missing or empty: no host that joined before and no token counts any more; restore a backup, or let all hosts join anew", "data_dir", a.cfg.Dir)
}

// Close closes the files.
func (a *Authority) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.disk.Close()
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

// writeLocalToken makes another token for this machine, alone or beside the one before. Where
// it cannot be written, on a full disk, the one before stays.
func (a *Authority) writeLocalToken(alone bool, now time.Time) error {
	secret := random(secretSize)
	t := Token{ID: random(idSize), Role: RoleAdmin, Label: localToken, Created: wall(now), Hash: hash(secret), Pin: a.Pin()[:pinSize]}
	before := a.having(func(old Token) bool { return old.Label == localToken && old.Expires.IsZero() })
	err := a.store(change{tokens: []Token{t}})
	if err == nil {
		if err = writeFile(filepath.Join(a.cfg.Dir, TokenFile), []byte(t.text(secret, a.Pin())+"\n"), 0o600); err != nil {
			_ = a.store(change{dropped: []string{t.ID}}) // nobody has it
		}
	}
	if err != nil {
		return a.keepLocalToken(before, err)
	}
	if !alone {
		return nil
	}
	return a.store(change{dropped: before})
}

// keepLocalToken goes on with the token of this machine that was there before, where its file
// is there, and says why there is no other.
func (a *Authority) keepLocalToken(before []string, why error) error {
	raw, err := os.ReadFile(filepath.Join(a.cfg.Dir, TokenFile))
	if err != nil || !slices.Contains(before, TokenID(strings.TrimSpace(string(raw)))) {
		return why
	}
	a.cfg.Logger.Error("the token of this machine cannot be made anew, and the one before stays good", "error", why)
	return nil
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
	for _, host := range c.forgotten {
		a.unindex(a.hosts[host])
		delete(a.hosts, host)
	}
	for _, h := range c.hosts {
		a.hosts[h.Host] = h
		a.index(h)
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
	t.Pin = a.Pin()[:pinSize]
	if err := a.keep(t, now); err != nil {
		return "", t, err
	}
	a.cfg.Logger.Info("token made", "token", t.ID, "role", string(t.Role), "label", t.Label, "expires", t.Expires)
	text := t.text(secret, a.Pin())
	t.Hash = ""
	return text, t, nil
}

// keep writes a new token, and forgets those that ended long ago, and of those for joining
// that are spent all but the newest. The lock is held.
func (a *Authority) keep(t Token, now time.Time) error {
	hold := a.cfg.Hold != nil && a.cfg.Hold()
	forgotten := func(old Token) bool { return !hold && old.forgotten(now) }
	dropped := a.having(forgotten)
	spent := a.having(func(old Token) bool { return !forgotten(old) && old.spent(now) })
	if more := len(spent) - maxSpent; more > 0 {
		slices.SortFunc(spent, func(x, y string) int { return a.tokens[x].Created.Compare(a.tokens[y].Created) })
		dropped = append(dropped, spent[:more]...)
	}
	if len(a.tokens)-len(dropped) >= maxTokens {
		return fmt.Errorf("make a token: %w: there are %d; others than for joining are forgotten a week after they ended or were revoked", ErrFull, maxTokens)
	}
	return a.store(change{tokens: []Token{t}, dropped: dropped})
}

// Tokens lists the tokens and the certificates of people without their hashes, the newest last.
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
		t.Revoked = wall(now)
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
	return Who{Role: t.Role, Token: t.ID, Tenant: t.Tenant}, nil
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

// whose says whose certificate this is, which was verified. Errors wrap ErrForbidden,
// ErrExpired, ErrRevoked or ErrUnknown.
func (a *Authority) whose(cert *x509.Certificate, now time.Time) (Who, error) {
	t := a.trust.Load()
	by := t.ownBy(cert.AuthorityKeyId)
	if by == nil { // another authority's, which is trusted
		return a.outsider(t, cert, now)
	}
	if id := clientOf(cert); id != "" {
		return a.client(cert, id, now)
	}
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
	if !known {
		r.Host = host
	}
	if err := r.speaks(cert); err != nil && a.adopt(cert, host, now) != nil {
		return Who{}, err
	}
	if id := by.rootID(); by == t.next && r.Root != id && r.knows(cert, id) {
		a.movedOver(host, id)
	}
	return Who{Role: RoleAgent, Host: host}, nil
}
