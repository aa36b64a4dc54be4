package graph

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// translate tells of connections that a host translates: "client dialled seen-as reached".
func (w *world) translate(host, client, dialled, seenAs, reached string, flows uint64, edit ...func(*model.Translation)) {
	w.t.Helper()
	t := model.Translation{
		Proto: "tcp", Client: netip.MustParseAddr(client), Dialled: netip.MustParseAddrPort(dialled),
		SeenAs: netip.MustParseAddr(seenAs), Reached: netip.MustParseAddrPort(reached), Flows: flows, FirstSeen: w.now, LastSeen: w.now, CountingSince: t0,
	}
	for _, f := range edit {
		f(&t)
	}
	w.put(model.Name{Host: host, Package: model.PackageTranslations, Key: t.Key()}, t)
}

// balanced is a client of a load balancer with two servers, each told by its own agent.
func balanced(t *testing.T) *world {
	w := newWorld(t)
	w.out("client", "/curl", "10.0.0.9", "10.0.0.1", 80, model.Counters{Connections: 10, Attempts: 11, Failed: 1, BytesSent: 1000, RTTs: histogram(64, 10)})
	w.listen("web-1", "/nginx", "0.0.0.0", 8080)
	w.listen("web-2", "/nginx", "0.0.0.0", 8080)
	w.in("web-1", "/nginx", "10.0.0.9", "10.1.0.7", 8080, n(7))
	w.in("web-2", "/nginx", "10.0.0.9", "10.1.0.8", 8080, n(3))
	return w
}

func TestLoadBalancerJoinsClientWithServers(t *testing.T) {
	w := balanced(t)
	w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.0.0.9", "10.1.0.7:8080", 7)
	w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.0.0.9", "10.1.0.8:8080", 3)
	w.expect(
		"process:client/curl -> service:web-1/nginx:8080 7/1 [client server]",
		"process:client/curl -> service:web-2/nginx:8080 3/0 [client server]",
	)
	list, _ := w.Dependencies(DependencyFilter{})
	for i, d := range list {
		if len(d.Dialled) != 1 || d.Dialled[0].String() != "10.0.0.1:80" || len(d.TranslatedBy) != 1 || d.TranslatedBy[0] != "lb" {
			t.Errorf("dialled %v through %v", d.Dialled, d.TranslatedBy)
		}
		if want := []string{"10.1.0.7", "10.1.0.8"}[i]; d.Server.Addr.String() != want || d.Port != 8080 || d.Client.Addr.String() != "10.0.0.9" {
			t.Errorf("%v:%d from %v, want %s:8080 from 10.0.0.9", d.Server.Addr, d.Port, d.Client.Addr, want)
		}
		if want := []uint64{700, 300}[i]; d.BytesSent != want || d.RTTs.Count() != want/100 {
			t.Errorf("%d bytes, %d round-trip times, want %d and %d", d.BytesSent, d.RTTs.Count(), want, want/100)
		}
	}
}

// The servers see the balancer's address, and so do those of other clients.
func TestMasqueradeJoinsClientWithServer(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 8080)
	w.in("web", "/nginx", "10.1.0.1", "10.1.0.7", 8080, n(5))
	for i, client := range []string{"10.0.0.8", "10.0.0.9"} {
		w.out("c"+client[7:], "/curl", client, "10.0.0.1", 80, n(uint64(2+i)))
		w.translate("lb", client, "10.0.0.1:80", "10.1.0.1", "10.1.0.7:8080", uint64(2+i))
	}
	w.expect(
		"process:c8/curl -> service:web/nginx:8080 2/0 [client server]",
		"process:c9/curl -> service:web/nginx:8080 3/0 [client server]",
	)
	if p, ok := w.whose(w.holdAddress(netip.MustParseAddr("10.1.0.1")), vantage{host: "x"}), true; ok && p != nil {
		t.Errorf("the balancer's address is taken for one of %s", p.host)
	}
}

// Two hosts translate one after the other; and addresses inside of a host are like those
// inside of another.
func TestTranslationsFollowEachOther(t *testing.T) {
	w := newWorld(t)
	w.listen("db", "/postgres", "0.0.0.0", 5432)
	w.in("db", "/postgres", "10.0.0.1", "10.9.0.9", 5432, n(4))
	for _, host := range []string{"a", "b"} {
		seen := map[string]string{"a": "10.0.0.1", "b": "10.0.0.2"}[host]
		w.out(host, "/app", "172.17.0.2", "10.5.0.5", 5432, n(4))
		w.translate(host, "172.17.0.2", "10.5.0.5:5432", seen, "10.5.0.5:5432", 4) // docker0's masquerading
		w.translate("lb", seen, "10.5.0.5:5432", seen, "10.9.0.9:5432", 4)
	}
	w.in("db", "/postgres", "10.0.0.2", "10.9.0.9", 5432, n(4))
	w.expect(
		"process:a/app -> service:db/postgres:5432 4/0 [client server]",
		"process:b/app -> service:db/postgres:5432 4/0 [client server]",
	)
}

// Round in circles ends, and what is forgotten joins no more.
func TestTranslationsEnd(t *testing.T) {
	w := newWorld(t)
	w.out("client", "/curl", "10.0.0.9", "10.0.0.1", 80, n(1))
	w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.0.0.9", "10.0.0.2:80", 1)
	w.translate("lb", "10.0.0.9", "10.0.0.2:80", "10.0.0.9", "10.0.0.1:80", 1)
	w.Dependencies(DependencyFilter{})
	name := model.Name{Host: "lb", Package: model.PackageTranslations, Key: "10.0.0.9->10.0.0.2:80=>10.0.0.9->10.0.0.1:80/tcp"}
	w.put(name, nil)
	w.expect("process:client/curl -> service:10.0.0.2:80 1/0 [client]")
	name.Key = "10.0.0.9->10.0.0.1:80=>10.0.0.9->10.0.0.2:80/tcp"
	w.put(name, nil)
	w.expect("process:client/curl -> service:10.0.0.1:80 1/0 [client]")
	if len(w.translations.branches)+len(w.translations.from)+len(w.translations.to)+len(w.translations.byName) != 0 {
		t.Errorf("left over: %+v", w.translations)
	}
}

// Flows add up over runs of the agent; those that it finds at a start were told before.
func TestFlowsAddUpOverRuns(t *testing.T) {
	w := newWorld(t)
	tell := func(run int, flows, found uint64) {
		w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.0.0.9", "10.1.0.7:8080", flows, func(t *model.Translation) {
			t.Found, t.CountingSince = found, t0.Add(time.Duration(run)*time.Hour)
		})
	}
	for _, step := range []struct {
		run          int
		flows, found uint64
		want         uint64
	}{{0, 1, 2, 3}, {0, 5, 2, 7}, {1, 1, 4, 8}, {0, 5, 2, 8}, {1, 3, 4, 10}, {2, 0, 9, 10}} {
		tell(step.run, step.flows, step.found)
		for _, got := range w.translations.byName {
			if got.flows() != step.want {
				t.Errorf("%+v: %d flows", step, got.flows())
			}
		}
	}
}

// The parts of a figure add up to it, whatever was counted.
func TestPartsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		b := &branches{}
		for range 1 + r.IntN(5) {
			b.goals = append(b.goals, &goal{last: []*translation{{Translation: model.Translation{Flows: r.Uint64N(4) * r.Uint64N(1<<40)}}}})
		}
		n, sum := r.Uint64(), uint64(0)
		for _, g := range b.goals {
			sum += (&branch{b, g}).part(n)
		}
		if sum != n {
			t.Fatalf("parts of %d add up to %d", n, sum)
		}
	}
}

// Whatever comes first, documents of the client, of the server or of who translates, the
// graph is the same in the end.
func TestTranslationsComeInAnyOrder(t *testing.T) {
	w := balanced(t)
	w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.2.0.1", "10.1.0.7:8080", 7)
	w.translate("lb", "10.0.0.9", "10.0.0.1:80", "10.0.0.9", "10.1.0.8:8080", 3)
	w.translate("lb2", "10.2.0.1", "10.1.0.7:8080", "10.2.0.2", "10.1.0.6:80", 7)
	w.in("web-1", "/nginx", "10.2.0.2", "10.1.0.6", 80, n(7))
	want := w.edges(DependencyFilter{})
	if len(want) != 3 {
		t.Fatalf("edges %q", want)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		other := newWorld(t)
		for _, i := range r.Perm(len(w.docs)) {
			if other.apply(w.docs[i]); r.IntN(3) == 0 {
				other.edges(DependencyFilter{}) // builds the view, which follows from then on
			}
		}
		equal(t, "edges", other.edges(DependencyFilter{}), want)
	}
}

// In an estate in which addresses collide as often as they can, the order of documents of
// different names does not matter, the view that follows is the one that is built anew, and
// what is taken back leaves nothing behind.
func TestTranslationsOfAnyEstate(t *testing.T) {
	for seed := range uint64(40) {
		w := generate(t, seed, 120)
		r := &generator{Rand: rand.New(rand.NewPCG(seed, 7)), w: w}
		at := func() string {
			return netip.AddrPortFrom(netip.MustParseAddr(r.addr(r.pick("1", "2", "3"))), uint16(80+r.IntN(2))).String()
		}
		for range 40 {
			host := r.pick("1", "2", "3")
			w.translate(host, r.addr(host), at(), r.addr(r.pick("1", "2", "3")), at(), r.Uint64N(5))
			if r.IntN(3) == 0 {
				w.writtenAsJSON(t)
			}
		}
		w.writtenAsJSON(t)
		want := w.edges(DependencyFilter{})
		if len(w.translations.branches) == 0 {
			continue
		}
		docs := slices.Clone(w.docs)
		r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		order := make(map[model.Name][]model.Document)
		for _, d := range w.docs {
			order[d.Name] = append(order[d.Name], d)
		}
		other := newWorld(t)
		for _, d := range docs {
			next := order[d.Name]
			order[d.Name] = next[1:]
			if other.apply(next[0]); r.IntN(10) == 0 {
				other.writtenAsJSON(t)
			}
		}
		equal(t, fmt.Sprint("seed ", seed), other.edges(DependencyFilter{}), want)
		for _, d := range docs {
			if d.Package != model.PackageIdentity {
				w.put(d.Name, nil)
			}
		}
		for _, s := range slices.Collect(w.services.all()) {
			w.forgetService(s)
		}
		if n := w.left() + len(w.translations.byName) + len(w.translations.branches) + len(w.translations.from) + len(w.translations.to); n != 0 {
			t.Fatalf("seed %d: %d left behind", seed, n)
		}
	}
}
