package alerts

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

func TestFromBeginningToEnd(t *testing.T) {
	e, p := newEstate(), &pager{}
	e.put("old")
	e.over("old")
	e.put("nginx")
	l := begin(t, t.TempDir(), e, p)
	defer l.end()
	l.pass()
	expect(t, "new to an estate", p.taken(), "firing nginx")
	l.pass()
	expect(t, "nothing changed", p.taken(), "")
	e.put("nginx", func(i *model.Incident) { i.Summary += "; and 1 more" })
	l.pass()
	expect(t, "it became more", p.taken(), "firing nginx")
	e.put("nginx", func(i *model.Incident) { i.Ack = &model.Ack{By: "ann", At: e.asOf} })
	l.pass()
	expect(t, "somebody took it on", p.taken(), "acknowledged nginx")
	e.put("nginx", func(i *model.Incident) { i.Silenced = "s1" })
	l.pass()
	expect(t, "silenced", p.taken(), "silenced nginx")
	e.put("quiet", func(i *model.Incident) { i.Silenced = "s1" })
	l.pass()
	expect(t, "silenced from the beginning", p.taken(), "")
	e.over("nginx")
	e.over("quiet")
	e.put("short")
	e.over("short")
	l.pass()
	expect(t, "the end, and one that came and went unseen", p.taken(), "resolved nginx, resolved short")
	l.pass()
	expect(t, "afterwards", p.taken(), "")
	if s := one(l); s.Sent != 6 || s.Pending != 0 || s.Firing != 0 || s.Success.IsZero() {
		t.Errorf("got %+v", s)
	}
	if n := len(l.deliveries[0].memory.told); n != 0 {
		t.Errorf("%d are remembered for nothing", n)
	}
}

func TestAcknowledgementEnds(t *testing.T) {
	e, p := newEstate(), &pager{}
	l := begin(t, t.TempDir(), e, p)
	defer l.end()
	e.put("nginx", func(i *model.Incident) { i.Ack = &model.Ack{By: "ann", Until: l.now.Add(time.Hour)} })
	l.pass()
	l.now = l.now.Add(2 * time.Hour)
	l.pass()
	expect(t, "its time is over", p.taken(), "acknowledged nginx, firing nginx")
}

// TestNextLife: what was told is not told again, what came meanwhile is.
func TestNextLife(t *testing.T) {
	dir, e, p := t.TempDir(), newEstate(), &pager{}
	e.put("a")
	e.put("b")
	e.put("c")
	l := begin(t, dir, e, p)
	l.pass()
	e.over("c")
	l.pass()
	expect(t, "first life", p.taken(), "firing a, firing b, firing c, resolved c")
	l.end()
	e.over("a")
	e.put("d")
	e.over("d")
	e.drop("b") // the log does not know it any more
	l = begin(t, dir, e, p)
	l.pass()
	expect(t, "second life", p.taken(), "resolved a, resolved d, resolved b")
	l.end()
	l = begin(t, dir, e, p)
	l.pass()
	expect(t, "third life", p.taken(), "")
	l.end()
}

// TestKilledBeforeItIsWritten: what was taken and not written down comes again.
func TestKilledBeforeItIsWritten(t *testing.T) {
	dir, e, p := t.TempDir(), newEstate(), &pager{}
	e.put("a")
	l := begin(t, dir, e, p)
	l.pass()
	before, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	e.over("a")
	e.put("b")
	l.pass()
	expect(t, "first life", p.taken(), "firing a, resolved a, firing b")
	l.end()
	if err := os.WriteFile(filepath.Join(dir, FileName), before, 0o600); err != nil {
		t.Fatal(err)
	}
	l = begin(t, dir, e, p)
	l.pass()
	expect(t, "second life", p.taken(), "resolved a, firing b")
	l.end()
}

func TestOneBadNoticeDoesNotHoldUpOthers(t *testing.T) {
	e, p := newEstate(), &pager{}
	p.fail = func(id string) error {
		if id < "i04" {
			return errAway
		}
		return nil
	}
	for _, id := range ids(10) {
		e.put(id)
	}
	l := begin(t, t.TempDir(), e, p)
	defer l.end()
	for range 5 {
		l.pass()
	}
	if got := strings.Count(p.taken(), "firing"); got != 6 {
		t.Errorf("%d of 6 good ones were taken", got)
	}
	if s := one(l); s.Pending != 4 || s.Error == "" || s.Oldest.IsZero() || s.Failed == 0 {
		t.Errorf("got %+v", s)
	}
	p.fail = nil
	l.pass()
	if got := strings.Count(p.taken(), "firing"); got != 4 {
		t.Errorf("%d of 4 were taken in the end", got)
	}
	if s := one(l); s.Pending != 0 || s.Error != "" {
		t.Errorf("got %+v", s)
	}
}

func TestRepeats(t *testing.T) {
	e, p := newEstate(), &pager{repeat: time.Minute}
	e.put("a")
	e.put("b", func(i *model.Incident) { i.Silenced = "s1" })
	l := begin(t, t.TempDir(), e, p)
	defer l.end()
	l.pass()
	l.pass()
	expect(t, "at once", p.taken(), "firing a")
	l.now = l.now.Add(time.Minute)
	l.pass()
	expect(t, "a minute later", p.taken(), "again firing a")
}

// TestBackOff runs on virtual time: a receiver that is away is asked ever more seldom, and
// at once when it is back and something happens.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, p := newEstate(), &pager{fail: away}
		a, err := open(Config{Dir: t.TempDir(), Source: e}, []Receiver{p})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		ctx, cancel := contextOf(t)
		go func() { a.Run(ctx); close(done) }()
		e.put("a")
		a.Wake()
		time.Sleep(time.Hour)
		synctest.Wait()
		if tries := p.count(); tries < 12 || tries > 25 {
			t.Errorf("%d attempts in an hour", tries)
		}
		p.mu.Lock()
		p.fail = nil
		p.mu.Unlock()
		time.Sleep(longRest * 5 / 4)
		synctest.Wait()
		expect(t, "it is back", p.taken(), "firing a")
		e.over("a")
		a.Wake()
		synctest.Wait()
		expect(t, "at once", p.taken(), "resolved a")
		p.mu.Lock()
		p.fail = func(string) error { return &RetryAfter{After: 2 * time.Minute, Err: errAway} }
		p.mu.Unlock()
		e.put("b")
		a.Wake()
		synctest.Wait()
		before := p.count()
		time.Sleep(2*time.Minute - time.Second)
		synctest.Wait()
		if p.count() != before {
			t.Error("asked again before it wanted to be")
		}
		time.Sleep(time.Minute + 2*time.Second)
		synctest.Wait()
		if p.count() == before {
			t.Error("not asked again soon after it wanted to be")
		}
		cancel()
		<-done
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestAnything: whatever happens to incidents, the receiver and the process, the receiver
// ends up with what is so, and hears the last state of each incident.
func TestAnything(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		dir, e, p := t.TempDir(), newEstate(), &pager{}
		l := begin(t, dir, e, p)
		states := make(map[string]string)
		hear := func() {
			for word := range strings.SplitSeq(p.taken(), ", ") {
				if status, id, ok := strings.Cut(word, " "); ok {
					states[id] = status
				}
			}
		}
		l.pass()
		var all []string
		for n := range 120 {
			id := fmt.Sprintf("i%02d", n/4)
			switch random.IntN(6) {
			case 0, 1:
				if len(all) == 0 || all[len(all)-1] != id {
					all = append(all, id)
				}
				e.put(id)
			case 2:
				if i, ok := e.list[id]; ok && i.State == model.IncidentOpen {
					e.over(id)
				}
			case 3:
				p.fail = nil
				if random.IntN(2) == 0 {
					p.fail = func(string) error { return errAway }
				}
			case 4:
				hear()
				l.end()
				l = begin(t, dir, e, p)
			case 5:
				l.pass()
			}
		}
		p.fail = nil
		l.pass()
		l.pass()
		hear()
		for _, id := range all {
			want := StatusFiring
			if e.list[id].State != model.IncidentOpen {
				want = StatusResolved
			}
			if states[id] != want {
				t.Errorf("seed %d: %s was told as %q, and is %s", seed, id, states[id], want)
			}
		}
		l.end()
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(strings.Repeat("no database ", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(Config{Dir: dir, Source: newEstate()}, []Receiver{&pager{}})
	if err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("got %v", err)
	}
}

func TestSettings(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good")
	if err := os.WriteFile(good, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]Settings{
		"want a URL such as":   {Alertmanagers: []string{"127.0.0.1:9093"}},
		"…@x:1":                {Webhooks: []string{"ftp://ann:pass@x:1"}},
		"it is named twice":    {Webhooks: []string{"http://x/a", "http://x/a"}},
		"two files of secrets": {Webhooks: []string{"http://x/a"}, SecretFiles: []string{"shop=" + good, "shop=" + good}},
		"want TENANT=PROGRAM":  {TenantPrograms: []string{"/bin/page"}},
		"and perhaps":          {TenantPrograms: []string{"shop=page"}},
		"the file is empty":    {Webhooks: []string{"http://x/a"}, SecretFiles: []string{secret}},
		"want the whole path":  {Program: "page --team ops"},
		"invalid character":    {Program: "[page"},
	} {
		_, err := s.Receivers("m")
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%+v: got %v, want %q", s, err, want)
		}
	}
	of := Settings{Webhooks: []string{"http://x/a", "shop=http://x/a"}, SecretFiles: []string{"shop=" + good}, TenantPrograms: []string{"shop=/bin/page --now"}}
	shared, err := of.Receivers("m")
	if err != nil || shared[1].Name() != "shop:webhook/x" || shared[1].Key() == shared[0].Key() || shared[2].Tenant() != "shop" {
		t.Errorf("one URL for the estate and a tenant: %v, %v", shared, err)
	}
	if shared[0].(*webhook).secretFile != "" || shared[1].(*webhook).secretFile != good {
		t.Error("a tenant's secret is for the tenant's webhooks alone, and the other way round")
	}
	if _, err := open(Config{Settings: of, Dir: t.TempDir(), Source: newEstate()}, shared); !errors.Is(err, ErrInvalid) {
		t.Errorf("without tenants: %v", err)
	}
	list, err := Settings{Webhooks: []string{"http://x/a", "http://x/b"}, Program: `["/bin/page it", "--now"]`}.Receivers("m")
	if err != nil || list[0].Name() != "webhook/x" || list[1].Name() != "webhook/x#2" || list[2].Name() != "program/page it" {
		t.Errorf("got %v, %v", list, err)
	}
}
