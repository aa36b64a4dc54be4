package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/manager/findings"
	"cassini/model"
)

// pass lets time go by, as the manager's clock tells it.
func (w *world) pass(d time.Duration) []model.Event {
	w.now = w.now.Add(d)
	e := w.Advance(w.now)
	w.seen = append(w.seen, e...)
	return e
}

// found are incidents in short, the newest first.
func (w *world) found() []string {
	list := []string{}
	for _, i := range w.Incidents(false) {
		short := make([]string, 0, len(i.Subjects))
		for _, s := range i.Subjects {
			if _, rest, ok := strings.Cut(s, ":"); ok {
				s = rest
			}
			short = append(short, s)
		}
		list = append(list, fmt.Sprintf("%s %s %s", i.State, i.Kind, strings.Join(short, ",")))
	}
	return list
}

// settled is a world with nginx that has listened for a while.
func settled(t *testing.T) *world {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.listen("web", "/nginx", "0.0.0.0", 443)
	w.pass(time.Hour)
	return w
}

func TestServiceGone(t *testing.T) {
	w := settled(t)
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.pass(findings.Grace - 2*time.Second)
	equal(t, "within the grace", w.found(), []string{})
	w.pass(2 * time.Second)
	equal(t, "afterwards", w.found(), []string{"open service-gone web/nginx:80"})
	i := w.Incidents(true)[0]
	if i.Cause != "service:web/nginx:80" || i.Severity != model.SeverityWarning || i.Action == "" || !strings.HasPrefix(i.ID, "service-gone-") {
		t.Errorf("got %+v", i)
	}
	w.stop("web", "/nginx", "0.0.0.0", 443)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	equal(t, "back", w.found(), []string{"closed service-gone web/nginx:80"})
	w.pass(time.Hour)
	equal(t, "later is another one", w.found(), []string{"open service-gone web/nginx:443", "closed service-gone web/nginx:80"})
	w.pass(findings.Accepted)
	equal(t, "nobody mends it", w.found(), []string{"closed service-gone web/nginx:443", "closed service-gone web/nginx:80"})
}

func TestServicesThatEndTogetherAreOne(t *testing.T) {
	w := settled(t)
	w.out("app", "/app", "10.0.0.9", "10.0.0.1", 80, n(1))
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.stop("web", "/nginx", "0.0.0.0", 443)
	w.pass(time.Hour)
	equal(t, "incidents", w.found(), []string{"open service-gone web/nginx:80,web/nginx:443"})
	w.listen("web", "/nginx", "0.0.0.0", 80)
	equal(t, "one is back", w.found(), []string{"open service-gone web/nginx:80,web/nginx:443"})
	w.listen("web", "/nginx", "0.0.0.0", 443)
	equal(t, "both are", w.found(), []string{"closed service-gone web/nginx:80,web/nginx:443"})
}

// TestWhatIsNoServiceGone: restarts, what was not settled, clients' sockets, containers.
func TestWhatIsNoServiceGone(t *testing.T) {
	w := settled(t)
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.pass(30 * time.Second)
	w.listen("web", "/nginx", "0.0.0.0", 80) // a restart
	since := func(ago time.Duration, proto, netns string) func(*model.Listener) {
		return func(l *model.Listener) { l.Since, l.Proto, l.NetnsName = w.now.Add(-ago), proto, netns }
	}
	ended := func(l *model.Listener) { l.State, l.Ended = model.StateEnded, &w.now }
	for port, edit := range map[uint16]func(*model.Listener){
		8000: since(time.Minute, "tcp", ""), 40000: since(time.Hour, "udp", ""), 9000: since(time.Hour, "tcp", "net:[4026532200]"),
	} {
		w.listen("web", "/x", "0.0.0.0", port, edit)
		w.listen("web", "/x", "0.0.0.0", port, edit, ended)
	}
	w.pass(time.Hour)
	equal(t, "incidents", w.found(), []string{})
}

// A server of UDP that begins by asking, such as a time server or an agent of ours, is told of a
// minute after its start (decision 0062).
func TestRestartOfWhatAsksFirst(t *testing.T) {
	w := newWorld(t)
	udp := func(l *model.Listener) { l.Proto = "udp" }
	w.listen("web", "/chronyd", "0.0.0.0", 123, udp)
	w.pass(time.Hour)
	for range 2 {
		w.listen("web", "/chronyd", "0.0.0.0", 123, udp, func(l *model.Listener) { l.State, l.Ended = model.StateEnded, &w.now })
		w.pass(time.Minute + 2*time.Second)
		equal(t, "while it may be asking", w.found(), []string{})
		w.listen("web", "/chronyd", "0.0.0.0", 123, udp)
		w.pass(time.Hour)
	}
	equal(t, "back each time", w.found(), []string{})
	w.listen("web", "/chronyd", "0.0.0.0", 123, udp, func(l *model.Listener) { l.State, l.Ended = model.StateEnded, &w.now })
	w.pass(findings.AskingGrace)
	equal(t, "not back", w.found(), []string{"open service-gone web/chronyd:123/udp"})
}

func TestServiceGoneWithItsHost(t *testing.T) {
	t.Run("the host dies within the grace", func(t *testing.T) {
		w := settled(t)
		w.stop("web", "/nginx", "0.0.0.0", 80)
		w.reported("db", model.VerdictShutdown, "web", "z1")
		w.pass(24 * time.Hour)
		equal(t, "while it is down", w.found(), []string{"open host-shutdown web"})
		w.reported("web", model.VerdictCorrected, "web", "z1", corrects(model.VerdictShutdown, "restarted"))
		w.pass(time.Minute)
		if got := w.found(); len(got) != 1 {
			t.Errorf("just after it is back: %q", got)
		}
		w.pass(2 * findings.BootGrace)
		if got := w.found(); len(got) != 2 || got[0] != "open service-gone web/nginx:80" {
			t.Errorf("it is back, the service is not: %q", got)
		}
	})
	t.Run("it is found to be dead a little later", func(t *testing.T) {
		w := settled(t)
		w.stop("web", "/nginx", "0.0.0.0", 80)
		w.pass(findings.Grace)
		w.reported("db", model.VerdictCrashed, "web", "z1")
		list := w.Incidents(false)
		if len(list) != 2 || list[1].State != model.IncidentMerged || list[1].Into != list[0].ID {
			t.Errorf("got %+v", list)
		}
	})
}

func TestBootGrace(t *testing.T) {
	w := settled(t)
	w.put(model.Name{Host: "web", Package: model.PackageIdentity}, model.Identity{Hostname: "web", BootID: "b", BootTime: w.now})
	w.stop("web", "/nginx", "0.0.0.0", 80) // the agent was there before it
	w.pass(2 * findings.Grace)
	equal(t, "just after the boot", w.found(), []string{})
	w.pass(findings.BootGrace)
	equal(t, "later", w.found(), []string{"open service-gone web/nginx:80"})
}

func TestNewListener(t *testing.T) {
	w := settled(t)
	w.listen("web", "/usr/bin/redis", "0.0.0.0", 6379)
	w.pass(time.Minute)
	equal(t, "while the host is learned", w.found(), []string{})
	w.pass(findings.DefaultLearn)
	w.listen("web", "/tmp/miner", "0.0.0.0", 4444)
	w.listen("web", "/usr/bin/ide", "127.0.0.1", 4445) // for the host alone
	w.stop("web", "/usr/bin/redis", "0.0.0.0", 6379)
	w.listen("web", "/usr/bin/redis", "0.0.0.0", 6379) // it is known
	w.listen("web", "/tmp/short", "0.0.0.0", 4446)
	w.stop("web", "/tmp/short", "0.0.0.0", 4446)
	w.pass(findings.Lasting)
	equal(t, "new", w.found(), []string{"open new-listener web/miner:4444"})
	if i := w.Incidents(true)[0]; i.Severity != model.SeverityInfo {
		t.Errorf("got %+v", i)
	}
	w.pass(findings.Passing)
	equal(t, "it passes", w.found(), []string{"closed new-listener web/miner:4444"})
	for port := range uint16(6) {
		w.listen("web", "/usr/sbin/ftpd", "0.0.0.0", 5000+port)
		w.pass(time.Hour)
	}
	if got := w.found(); len(got) != 1+4 {
		t.Errorf("a program that roams is told %d times: %q", len(got)-1, got)
	}
}

func TestCablesOfOneSwitchThatMoveAreOne(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{"a", "b"} {
		w.link(host, "eth0", "02:00:00:00:00:0"+host)
		w.hears(host, "eth0", model.LLDP, swMAC, "1")
		w.hears(host, "eth0", model.LLDP, swMAC, "1", ended2)
	}
	for _, host := range []string{"a", "b"} {
		w.hears(host, "eth0", model.LLDP, "00:1b:fc:00:00:99", "1")
	}
	equal(t, "incidents", w.found(), []string{"open port-moved a/eth0,b/eth0"})
	w.pass(findings.Passing + time.Minute)
	equal(t, "later", w.found(), []string{"closed port-moved a/eth0,b/eth0"})
}

func ended2(n *model.Neighbor) { n.State, n.Ended = model.NeighborMoved, t0 }

func TestDuplicateAddressIsOneIncident(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"))
	for n := range 3 {
		w.sees("a", "10.0.0.7", "aa:bb:cc:00:00:09", func(s *model.Seen) {
			s.Before, s.Conflict = "aa:bb:cc:00:00:10", w.now.Add(time.Duration(n)*time.Second)
		})
		w.pass(findings.Calm / 2)
	}
	equal(t, "while they claim it", w.found(), []string{"open address-duplicate 10.0.0.7"})
	w.pass(findings.Calm)
	equal(t, "afterwards", w.found(), []string{"closed address-duplicate 10.0.0.7"})
	w.link("a", "eth0", "02:00:00:00:00:01", func(i *model.Interface) {
		i.Addresses = map[string]model.IPConfig{"fd00::7/64": {Scope: "global", Failed: true}}
	})
	equal(t, "the kernel's own", w.found()[:1], []string{"open address-duplicate fd00::7"})
}

// readings lets the agent of a host read its counters so many times, an hour apart.
func (w *world) readings(times int, deps ...*model.Dependency) {
	w.t.Helper()
	for range times {
		w.pass(time.Hour)
		at := w.now
		for _, d := range deps {
			d.LastSeen = at.Add(-time.Minute)
			d.Connections++
			w.put(model.Name{Host: "app", Package: model.PackageDependencies, Key: d.Key()}, d, func(doc *model.Document) { doc.Progress, doc.Time = true, at })
		}
	}
}

func talkers(w *world) (db, cache, dns *model.Dependency) {
	var all []*model.Dependency
	for _, port := range []uint16{5432, 6379, 53} {
		d := w.dep(model.Out, "/app", "10.0.0.9", "10.0.0.1", port, n(1))
		w.putDep("app", d)
		all = append(all, &d)
	}
	return all[0], all[1], all[2]
}

func TestVanishedDependency(t *testing.T) {
	w := newWorld(t)
	w.listen("db", "/postgres", "10.0.0.1", 5432)
	db, cache, dns := talkers(w)
	w.readings(10, db, cache, dns)
	w.readings(4, cache, dns)
	equal(t, "within four times its longest silence", w.found(), []string{})
	w.readings(3, cache, dns)
	equal(t, "vanished", w.found(), []string{"open dependency-vanished app/app -depends_on-> service:db/postgres:5432"})
	w.readings(3, cache, dns)
	if len(w.found()) != 1 {
		t.Errorf("told again: %q", w.found())
	}
	w.readings(1, db, cache, dns)
	equal(t, "it talks again", w.found(), []string{"closed dependency-vanished app/app -depends_on-> service:db/postgres:5432"})
}

func TestWhatIsNoVanishedDependency(t *testing.T) {
	for name, steps := range map[string]func(w *world, db, cache, dns *model.Dependency){
		"nobody reads counters": func(w *world, db, cache, dns *model.Dependency) {
			w.readings(10, db, cache, dns)
			w.pass(48 * time.Hour)
			w.readings(1, cache, db, dns) // the first of a reading comes before the others
		},
		"it did not talk for long": func(w *world, db, cache, dns *model.Dependency) {
			w.readings(3, db, cache, dns)
			w.readings(20, cache, dns)
		},
		"it talks once a day": func(w *world, db, cache, dns *model.Dependency) {
			for range 8 {
				w.readings(1, db, cache, dns)
				w.readings(23, cache, dns)
			}
			w.readings(30, cache, dns)
		},
		"its connection stays open": func(w *world, db, cache, dns *model.Dependency) {
			db.Open = 1
			w.readings(10, db, cache, dns)
			w.readings(30, cache, dns)
		},
		"the host of the service is dead": func(w *world, db, cache, dns *model.Dependency) {
			w.readings(10, db, cache, dns)
			w.reported("x", model.VerdictCrashed, "db", "z")
			w.readings(30, cache, dns)
		},
		"the service is gone, which tells": func(w *world, db, cache, dns *model.Dependency) {
			w.readings(10, db, cache, dns)
			w.stop("db", "/postgres", "10.0.0.1", 5432)
			w.readings(30, cache, dns)
			if i := w.Incidents(false)[0]; len(i.Evidence) != 2 || !strings.Contains(i.Evidence[1], "has not talked to db/postgres:5432 since") {
				w.t.Errorf("got %+v", i)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.listen("db", "/postgres", "10.0.0.1", 5432)
			db, cache, dns := talkers(w)
			steps(w, db, cache, dns)
			for _, i := range w.Incidents(false) {
				if i.Kind == model.IncidentDependency {
					t.Errorf("got %+v", i)
				}
			}
		})
	}
}

// TestReplayFindsTheSame: incidents and events do not depend on whether the manager told
// the time in between.
func TestReplayFindsTheSame(t *testing.T) {
	w := settled(t)
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.pass(90 * time.Second)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.pass(findings.DefaultLearn)
	w.listen("web", "/miner", "0.0.0.0", 4444)
	w.pass(2 * time.Minute)
	w.stop("web", "/nginx", "0.0.0.0", 443)
	w.pass(2 * time.Hour)
	w.listen("web", "/other", "127.0.0.1", 1)
	again, events := replay(w.docs)
	if a, b := fmt.Sprint(w.Incidents(false)), fmt.Sprint(again.Incidents(false)); a != b || len(w.Incidents(false)) != 3 {
		t.Errorf("live\n%s\nreplayed\n%s", a, b)
	}
	if a, b := fmt.Sprint(w.seen), fmt.Sprint(events); a != b {
		t.Errorf("events live\n%s\nreplayed\n%s", a, b)
	}
	ids := make(map[string]bool)
	for _, e := range events {
		if ids[e.ID] {
			t.Errorf("%s comes twice", e.ID)
		}
		ids[e.ID] = true
	}
}

func TestAcksAndSilences(t *testing.T) {
	w := settled(t)
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.pass(2 * time.Minute)
	id := w.Incidents(true)[0].ID
	w.put(model.Name{Host: "boss", Package: model.PackageAcks, Key: id}, model.Ack{By: "ann", At: w.now})
	if ack := w.Incidents(true)[0].Ack; ack == nil || ack.By != "ann" || !ack.Holds(w.now) {
		t.Errorf("got %+v", ack)
	}
	s := model.Silence{ID: "s1", Subject: "web*", By: "ann", At: w.now, Until: w.now.Add(time.Hour), Why: "work"}
	w.put(model.Name{Host: "boss", Package: model.PackageSilences, Key: "s1"}, s)
	if list := w.Silences(); len(list) != 1 || !list[0].Covers(w.Incidents(true)[0]) {
		t.Errorf("got %+v", list)
	}
	w.put(model.Name{Host: "boss", Package: model.PackageSilences, Key: "s1"}, nil)
	w.put(model.Name{Host: "boss", Package: model.PackageAcks, Key: id}, nil)
	if len(w.Silences()) != 0 || w.Incidents(true)[0].Ack != nil || len(w.Acks()) != 0 {
		t.Error("they stay")
	}
	for _, n := range w.Nodes(NodeFilter{Kinds: []string{model.KindHost}}) {
		if n.ID == "host:boss" {
			t.Error("the manager became a host")
		}
	}
}
