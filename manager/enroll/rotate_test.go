package enroll

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// agentOf is an agent as far as its authority sees it.
type agentOf struct {
	t       *testing.T
	host    string
	cert    *x509.Certificate
	anchors []*x509.Certificate
}

func joinsBy(t *testing.T, a *Authority, host string, keeps bool, now time.Time) *agentOf {
	t.Helper()
	j, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent}, now), JoinRequest{Host: host, Request: request(t, nil), Keeps: keeps}, now)
	if err != nil {
		t.Fatal(err)
	}
	g := &agentOf{t: t, host: host}
	g.take(j)
	return g
}

func (g *agentOf) take(j *Joined) {
	g.cert = certOf(g.t, j)
	g.anchors = nil
	for block, rest := pem.Decode([]byte(j.Authorities)); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			g.t.Fatal(err)
		}
		g.anchors = append(g.anchors, c)
	}
}

func (g *agentOf) renew(a *Authority, now time.Time) {
	g.t.Helper()
	j, err := a.Renew(g.cert, JoinRequest{Request: request(g.t, nil), Keeps: true}, now)
	if err != nil {
		g.t.Fatal(err)
	}
	g.take(j)
}

// meets says whether the agent takes the manager for its own, and the manager the agent.
func (g *agentOf) meets(a *Authority, now time.Time) (manager, agent error) {
	g.t.Helper()
	shown, err := a.server.get(a.trust.Load(), mustAddr(g.t, "127.0.0.1"), now)
	if err != nil {
		g.t.Fatal(err)
	}
	manager = knows(g.t, shown.Certificate, g.anchors, now)
	_, agent = a.Shown([]*x509.Certificate{g.cert}, now)
	return manager, agent
}

// knows holds what a manager shows against authorities.
func knows(t *testing.T, shown [][]byte, anchors []*x509.Certificate, now time.Time) error {
	t.Helper()
	o := x509.VerifyOptions{DNSName: "127.0.0.1", Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, c := range anchors {
		o.Roots.AddCert(c)
	}
	for _, raw := range shown[1:] {
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		o.Intermediates.AddCert(c)
	}
	leaf, err := x509.ParseCertificate(shown[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(o)
	return err
}

func (g *agentOf) wellMet(a *Authority, now time.Time) {
	g.t.Helper()
	if manager, agent := g.meets(a, now); manager != nil || agent != nil {
		g.t.Errorf("%s: it says of the manager %v, the manager of it %v", g.host, manager, agent)
	}
}

// TestRotate goes through a rotation, with another start at each step. Agents that talk
// notice nothing.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	now := start
	a := open(t, dir, now)
	again := func() {
		t.Helper()
		_ = a.Close()
		a = open(t, dir, now)
	}
	before := a.Pin()
	early, late := joinsBy(t, a, "early", true, now), joinsBy(t, a, "late", true, now)
	viewer := token(t, a, TokenRequest{Role: RoleViewer}, now)
	gone := joinsBy(t, a, "gone", true, now)
	if _, err := a.Revoke("gone", "", now); err != nil {
		t.Fatal(err)
	}
	if err := a.Retire(true, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a rotation: %v", err)
	}
	now = now.Add(time.Hour)
	if err := a.Rotate(48*time.Hour, now); err != nil {
		t.Fatal(err)
	}
	if err := a.Rotate(48*time.Hour, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("twice: %v", err)
	}
	for range 2 {
		if a.Pin() == before || a.View(now).Rotation.Until != now.Add(48*time.Hour) {
			t.Fatalf("after another start: %s, %+v", a.Pin(), a.View(now).Rotation)
		}
		early.wellMet(a, now)
		late.wellMet(a, now)
		again()
	}
	// Who knows the next one alone, by a token that was made meanwhile, finds the manager too.
	shown, err := a.server.get(a.trust.Load(), mustAddr(t, "127.0.0.1"), now)
	if err != nil || knows(t, shown.Certificate, []*x509.Certificate{a.trust.Load().next.cert}, now) != nil {
		t.Errorf("by the next one alone: %v, %v", err, knows(t, shown.Certificate, []*x509.Certificate{a.trust.Load().next.cert}, now))
	}
	between := joinsBy(t, a, "between", true, now)
	early.renew(a, now)
	if v := a.View(now).Rotation; v.WaitingAll != 3 { // it has it, and has not shown it
		t.Errorf("%+v", v)
	}
	early.wellMet(a, now)
	between.wellMet(a, now)
	again()
	v := a.View(now)
	if strings.Join(v.Rotation.Waiting, " ") != "late" || v.Rotation.Known != 2 || len(v.Rotation.Tokens) != 1 || !strings.Contains(viewer, v.Rotation.Tokens[0]) || len(v.Authorities) != 2 || v.Authorities[1].Certificates != 2 {
		t.Errorf("%+v %+v", v, v.Rotation)
	}
	if retired, err := a.Tend(now); retired || err != nil {
		t.Errorf("retired too early: %v, %v", retired, err)
	}
	if err := a.Retire(false, now); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "1 hosts do not know") {
		t.Errorf("retired in vain: %v", err)
	}
	late.renew(a, now)
	late.wellMet(a, now)
	if retired, err := a.Tend(now); retired || err != nil {
		t.Errorf("retired while a token names the old one: %v, %v", retired, err)
	}
	if err := a.RevokeToken(v.Rotation.Tokens[0], now); err != nil {
		t.Fatal(err)
	}
	oldKey := a.trust.Load().ca
	if retired, err := a.Tend(now); !retired || err != nil {
		t.Fatalf("not retired: %v, %v", retired, err)
	}
	for range 2 {
		if len(a.View(now).Authorities) != 1 || a.View(now).Rotation != nil {
			t.Errorf("%+v", a.View(now))
		}
		for _, g := range []*agentOf{early, late, between} {
			g.wellMet(a, now)
		}
		if _, err := a.Shown([]*x509.Certificate{gone.cert}, now); !errors.Is(err, ErrUnknown) {
			t.Errorf("of the old one: %v", err)
		}
		forged, err := oldKey.signAgent(Record{Host: "early"}, parsed(t), now, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Shown([]*x509.Certificate{forged}, now); !errors.Is(err, ErrUnknown) {
			t.Errorf("by the old key: %v", err)
		}
		again()
	}
	if _, err := os.Stat(filepath.Join(dir, NextCAFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the next one: %v", err)
	}
	// And it can be rotated again.
	if err := a.Rotate(0, now); err != nil {
		t.Fatal(err)
	}
	early.wellMet(a, now)
}

// TestRotationEnds retires the old authority at its date, whoever waits.
func TestRotationEnds(t *testing.T) {
	a := open(t, t.TempDir(), start)
	old := joinsBy(t, a, "old", true, start) // and never talks
	deaf := joinsBy(t, a, "deaf", false, start)
	if err := a.Rotate(time.Hour, start); err != nil {
		t.Fatal(err)
	}
	j, err := a.Renew(deaf.cert, JoinRequest{Request: request(t, nil)}, start)
	if err != nil {
		t.Fatal(err)
	}
	anchors := deaf.anchors
	deaf.take(j)
	deaf.anchors = anchors // it is of an older version, and keeps the first
	deaf.wellMet(a, start)
	if v := a.View(start).Rotation; v.WaitingAll != 2 {
		t.Errorf("an agent that does not keep authorities counts as one that does: %+v", v)
	}
	if retired, _ := a.Tend(start.Add(time.Hour - 1)); retired {
		t.Error("retired before its date")
	}
	if retired, err := a.Tend(start.Add(time.Hour)); !retired || err != nil {
		t.Errorf("not retired: %v, %v", retired, err)
	}
	for _, g := range []*agentOf{old, deaf} {
		if manager, _ := g.meets(a, start.Add(time.Hour)); manager == nil {
			t.Errorf("%s knows the manager", g.host)
		}
	}
	if _, err := a.Shown([]*x509.Certificate{old.cert}, start.Add(time.Hour)); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "cassini join") {
		t.Errorf("got %v", err)
	}
	joinsBy(t, a, "old", true, start.Add(time.Hour)).wellMet(a, start.Add(time.Hour)) // its name is free for it
}

// TestReplace is for a key that was stolen.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	web := joinsBy(t, a, "web-17", true, start)
	stolen := a.trust.Load().ca
	if err := a.Rotate(time.Hour, start); err != nil {
		t.Fatal(err)
	}
	alsoStolen := a.trust.Load().next
	if hosts, err := a.Replace(start); hosts != 1 || err != nil {
		t.Errorf("%d, %v", hosts, err)
	}
	for range 2 {
		for _, key := range []*ca{stolen, alsoStolen} {
			forged, err := key.signAgent(Record{Host: "web-17"}, parsed(t), start, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Shown([]*x509.Certificate{forged}, start); !errors.Is(err, ErrUnknown) {
				t.Errorf("by a stolen key: %v", err)
			}
		}
		if manager, agent := web.meets(a, start); manager == nil || agent == nil {
			t.Errorf("%v, %v", manager, agent)
		}
		_ = a.Close()
		a = open(t, dir, start)
	}
	joinsBy(t, a, "web-17", true, start).wellMet(a, start)
}

// TestRotateCrashes starts again from what is on the disk between two steps.
func TestRotateCrashes(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	web := joinsBy(t, a, "web-17", true, start)
	if err := a.disk.setRotation(&rotation{Began: start, Until: start.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	a = open(t, dir, start) // it was noted, and there is no key yet
	if a.View(start).Rotation != nil {
		t.Error("a rotation without a key")
	}
	web.wellMet(a, start)
	if err := a.Rotate(2*time.Hour, start); err != nil {
		t.Fatal(err)
	}
	web.renew(a, start)
	web.wellMet(a, start)
	_ = a.Close()
	if err := os.Rename(filepath.Join(dir, NextCAFile), filepath.Join(dir, CAFile)); err != nil { // retired, and nothing else was written
		t.Fatal(err)
	}
	a = open(t, dir, start)
	if a.View(start).Rotation != nil || len(a.View(start).Authorities) != 1 {
		t.Errorf("%+v", a.View(start))
	}
	web.wellMet(a, start)
	if err := os.WriteFile(filepath.Join(dir, NextCAFile), []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	if _, err := Open(Config{Dir: dir, Host: "manager"}, start); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged key: %v", err)
	}
}

// TestShownRefuses shows certificates of all kinds that do not count.
func TestShownRefuses(t *testing.T) {
	a, other := open(t, t.TempDir(), start), open(t, t.TempDir(), start)
	web := joined(t, a, "web-17", start)
	alien := joined(t, other, "web-17", start)
	forged := *web
	forged.Signature = append([]byte{}, web.Signature...)
	forged.Signature[0] ^= 1
	forged.Raw = append([]byte{}, web.Raw...)
	forged.Raw[len(forged.Raw)-1] ^= 1
	late := start.Add(DefaultLife + 1)
	for name, c := range map[string]struct {
		certs []*x509.Certificate
		now   time.Time
		want  error
		why   string
	}{
		"none":    {nil, start, ErrUnknown, "there is none"},
		"good":    {[]*x509.Certificate{web}, start, nil, ""},
		"expired": {[]*x509.Certificate{web}, late, ErrExpired, "host web-17"},
		"foreign": {[]*x509.Certificate{alien}, start, ErrUnknown, "does not count here"},
		"forged":  {[]*x509.Certificate{&forged}, start, ErrForbidden, "forged"},
		"early":   {[]*x509.Certificate{web}, start.Add(-time.Hour), nil, ""}, // the clock was ahead when it was given
		"too":     {[]*x509.Certificate{alien}, start.Add(-time.Hour), ErrForbidden, "not yet valid"},
		"server":  {[]*x509.Certificate{serverOf(t, a)}, start, ErrForbidden, "usage"},
	} {
		for range 2 { // the second time from what is remembered
			_, err := a.Shown(c.certs, c.now)
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func serverOf(t *testing.T, a *Authority) *x509.Certificate {
	t.Helper()
	cert, err := a.server.get(a.trust.Load(), mustAddr(t, "127.0.0.1"), start)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}
