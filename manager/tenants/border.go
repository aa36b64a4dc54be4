package tenants

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cassini/manager/store"
	"cassini/model"
)

// maxRemembered bounds what a Border remembers of documents that are not of its hosts: of
// more it forgets all, and their ends do not pass then.
const maxRemembered = 100_000

// maskForm is what masks look like.
var maskForm = regexp.MustCompile(`^other-[0-9a-f]{10}$`)

// Border is that of one tenant. It is safe for concurrent use.
type Border struct {
	tenant string
	of     func(host string) string
	key    []byte

	mu     sync.Mutex
	zones  map[string]bool           // of its hosts, as documents that passed tell
	passed map[model.Name]model.Name // of others' documents, under which name: their end tells nothing itself
}

// New makes the border of a tenant. Of says whose a host is; key is a secret that masks
// are made with.
func New(tenant string, of func(host string) string, key []byte) *Border {
	return &Border{tenant: tenant, of: of, key: key, zones: make(map[string]bool), passed: make(map[model.Name]model.Name)}
}

// Owns says whether a host is the tenant's.
func (b *Border) Owns(host string) bool { return host != "" && b.of(host) == b.tenant }

// Mask is how a host is called on the tenant's side: its own hosts and the manager by
// their names.
func (b *Border) Mask(host string) string {
	if host == "" || host == model.ManagerHost || b.Owns(host) {
		return host
	}
	mac := hmac.New(sha256.New, b.key)
	mac.Write([]byte(b.tenant + "\x00" + host))
	return "other-" + hex.EncodeToString(mac.Sum(nil)[:5])
}

// Pass is an entry of the log as the tenant sees it, or false.
func (b *Border) Pass(e store.Entry) (store.Entry, bool) {
	name := e.Document.Name
	var ok bool
	switch e.Document.Package {
	case model.PackageVerdicts:
		e.Document, ok = b.verdict(e.Document)
	case model.PackageRings:
		e.Document, ok = b.ring(e.Document)
	case model.PackageAcks:
		e.Document, ok = passOwn(b, e.Document, func(a model.Ack) string { return a.Tenant })
	case model.PackageSilences:
		e.Document, ok = passOwn(b, e.Document, func(s model.Silence) string { return s.Tenant })
	case model.PackageLabels:
		e.Document, ok = passOf(b, e.Document, func(l model.HostLabels) string { return l.Host })
	case model.PackageRefused:
		e.Document, ok = passOf(b, e.Document, func(r model.Refused) string { return r.Host })
	default:
		return e, b.Owns(name.Host)
	}
	if ok {
		e.Key = b.maskKey(e.Key, name, e.Document.Name)
		return e, true
	}
	return b.end(e, name)
}

// end passes the end of what had passed: the thing is gone, or its newest document is no
// business of the tenant's any more.
func (b *Border) end(e store.Entry, name model.Name) (store.Entry, bool) {
	b.mu.Lock()
	as, ok := b.passed[name]
	b.mu.Unlock()
	e.Key = b.maskKey(e.Key, name, as)
	e.Document.Name, e.Document.Body = as, nil
	return e, ok
}

// remember notes under which name a document of others passed.
func (b *Border) remember(name, as model.Name) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.passed) >= maxRemembered {
		clear(b.passed)
	}
	b.passed[name] = as
}

// learn notes a zone of the tenant's hosts.
func (b *Border) learn(zone string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.zones) >= maxRemembered {
		clear(b.zones)
	}
	if zone != "" {
		b.zones[zone] = true
	}
}

func (b *Border) knows(zone string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.zones[zone]
}

// maskKey is the key of an entry under another name: its time is the same.
func (b *Border) maskKey(key store.Key, name, as model.Name) store.Key {
	at, err := key.Time()
	if err != nil || name.Host == as.Host {
		return key
	}
	return store.NewKey(at, as)
}

// passOwn passes what the tenant's own operators said.
func passOwn[T any](b *Border, d model.Document, tenantOf func(T) string) (model.Document, bool) {
	var body T
	if d.Gone() || d.Decode(&body) != nil || tenantOf(body) != b.tenant {
		return d, false
	}
	name := d.Name
	d.Key = b.Report(d.Key)
	b.remember(name, d.Name)
	return d, true
}

// ring passes a ring with the tenant's own members.
func (b *Border) ring(d model.Document) (model.Document, bool) {
	var r model.Ring
	if d.Gone() || d.Decode(&r) != nil {
		return d, false
	}
	r.Members = slices.DeleteFunc(r.Members, func(m model.RingMember) bool { return !b.Owns(m.Host) })
	if len(r.Members) == 0 {
		return d, false
	}
	b.remember(d.Name, d.Name)
	b.learn(r.Zone)
	for _, m := range r.Members {
		b.learn(m.Zone)
	}
	return b.with(d, d.Name, r)
}

// passOf passes what the manager says of the tenant's own hosts, each by a document of its own.
func passOf[T any](b *Border, d model.Document, hostOf func(T) string) (model.Document, bool) {
	var body T
	if d.Gone() || d.Decode(&body) != nil || !b.Owns(hostOf(body)) || hostOf(body) != d.Key {
		return d, false
	}
	b.remember(d.Name, d.Name)
	return d, true
}

// with is a document with another name and body.
func (b *Border) with(d model.Document, name model.Name, body any) (model.Document, bool) {
	made, err := model.NewDocument(name, d.Time, body)
	made.Progress = d.Progress
	return made, err == nil
}

// Ring is a ring as it is, with the tenant's own members; false where it has none.
func (b *Border) Ring(r model.RingHealth) (model.RingHealth, bool) {
	foreign := func(host string) bool { return !b.Owns(host) }
	r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m model.RingMember) bool { return foreign(m.Host) })
	r.Unwell = slices.DeleteFunc(slices.Clone(r.Unwell), foreign)
	r.Unacknowledged = slices.DeleteFunc(slices.Clone(r.Unacknowledged), foreign)
	return r, len(r.Members) > 0
}

// Host is how a host is; false where it is not the tenant's.
func (b *Border) Host(h model.HostLiveness) (model.HostLiveness, bool) {
	h.WatchedBy = slices.Clone(h.WatchedBy)
	for n, watcher := range h.WatchedBy {
		h.WatchedBy[n] = b.Mask(watcher)
	}
	return h, b.Owns(h.Host)
}

// Crosses says whether documents of a package can concern tenants that their host is not
// of.
func Crosses(pkg string) bool {
	return pkg == model.PackageVerdicts || slices.Contains(model.ManagerPackages(), pkg)
}

// Report is an identifier of an incident, REPORTER/INCARNATION/SEQUENCE or another, as the
// tenant sees it.
func (b *Border) Report(id string) string {
	if strings.Count(id, "/") != 2 {
		return id
	}
	reporter, rest, _ := strings.Cut(id, "/")
	if maskForm.MatchString(reporter) {
		return id
	}
	return b.Mask(reporter) + "/" + rest
}
