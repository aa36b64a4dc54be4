package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// planned tells of a ring, as the manager on host boss does.
func (w *world) planned(id string, members ...string) []model.Event {
	w.t.Helper()
	r := model.Ring{ID: model.RingID(id), Epoch: model.Epoch(len(w.docs) + 1), Zone: id, Members: []model.RingMember{}, Profile: model.StandardProfile()}
	for _, m := range members {
		r.Members = append(r.Members, model.RingMember{Host: m})
	}
	return w.put(model.Name{Host: "boss", Package: model.PackageRings, Key: id}, r)
}

// reported brings a report, each with a number of its own.
func (w *world) reported(reporter string, kind model.VerdictKind, subject, zone string, edit ...func(*model.Verdict)) []model.Event {
	w.t.Helper()
	v := model.Verdict{
		ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: uint64(len(w.docs) + 1)}, Kind: kind,
		Subject: model.RingMember{Host: subject, Zone: zone, Incarnation: 1},
	}
	for _, f := range edit {
		f(&v)
	}
	doc, err := model.VerdictDocument(v, reporter)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	doc.Time = w.now
	return w.apply(doc)
}

func corrects(was model.VerdictKind, clue string) func(*model.Verdict) {
	return func(v *model.Verdict) { v.Was, v.Evidence.Clue = was, clue }
}

func (w *world) edgesOf(kinds ...string) (list []string) {
	for _, e := range w.Edges(EdgeFilter{Kinds: kinds}) {
		list = append(list, e.ID)
	}
	return list
}

// states are the hosts with their states.
func (w *world) states() (list []string) {
	for _, n := range w.Nodes(NodeFilter{Kinds: []string{model.KindHost}}) {
		list = append(list, fmt.Sprint(n.ID, " ", n.Attrs["state"]))
	}
	return list
}

func told(list []model.Incident) []string {
	all := []string{}
	for _, i := range list {
		all = append(all, i.State+" "+i.Summary)
	}
	return all
}

func TestRingsAreNodes(t *testing.T) {
	w := newWorld(t)
	w.planned("z1", "a", "b", "c")
	w.planned("z2", "d")
	w.planned("z3", "e", "f")
	w.planned("gone", "a")
	if e := w.put(model.Name{Host: "boss", Package: model.PackageRings, Key: "gone"}, nil); len(e) != 0 {
		t.Errorf("events %v", e)
	}
	equal(t, "members", w.edgesOf(model.EdgeIn), []string{
		"host:a -in-> ring:z1", "host:b -in-> ring:z1", "host:c -in-> ring:z1", "host:d -in-> ring:z2", "host:e -in-> ring:z3", "host:f -in-> ring:z3",
	})
	equal(t, "order", w.edgesOf(model.EdgeNext), []string{
		"host:a -next-> host:b", "host:b -next-> host:c", "host:c -next-> host:a", "host:e -next-> host:f", "host:f -next-> host:e",
	})
	var got []string
	for _, n := range w.Nodes(NodeFilter{Kinds: []string{model.KindRing}}) {
		got = append(got, fmt.Sprint(n.ID, n.Attrs))
	}
	equal(t, "rings", got, []string{
		"ring:z1map[epoch:1 level:0 members:3 name:z1 order:a b c zone:z1]", "ring:z2map[epoch:2 level:0 members:1 name:z2 order:d zone:z2]",
		"ring:z3map[epoch:3 level:0 members:2 name:z3 order:e f zone:z3]",
	})
	equal(t, "states", w.states(), []string{"host:a up", "host:b up", "host:c up", "host:d up", "host:e up", "host:f up"})
}

func TestStateOfHosts(t *testing.T) {
	w := newWorld(t)
	w.put(model.Name{Host: "lone", Package: model.PackageIdentity}, model.Identity{Hostname: "lone"})
	w.planned("z1", "a", "b", "c")
	equal(t, "states", w.states(), []string{"host:a up", "host:b up", "host:c up", "host:lone <nil>"})
	w.reported("b", model.VerdictHung, "a", "z1")
	died := w.now
	w.reported("a", model.VerdictLink, "c", "z1")
	w.reported("b", model.VerdictCorrected, "c", "z1", corrects(model.VerdictLink, "answer"))
	equal(t, "states", w.states(), []string{"host:a process-hung", "host:b up", "host:c up", "host:lone <nil>"})
	a := w.Nodes(NodeFilter{Kinds: []string{model.KindHost}, Host: "a"})
	if since, ok := a[0].Attrs["state_since"].(time.Time); !ok || !since.Equal(died) {
		t.Errorf("since %v, want %v", a[0].Attrs["state_since"], died)
	}
	if sick := OverviewOf(New(Limits{}), w.Graph, 10).Sick; len(sick) != 1 || sick[0].Node != "host:a" || !strings.HasPrefix(sick[0].What, "a: the agent hangs") {
		t.Errorf("sick %+v", sick)
	}
}

func TestIncidentEvents(t *testing.T) {
	w := newWorld(t)
	w.planned("z1", "a", "b", "c")
	opened := w.reported("b", model.VerdictCrashed, "a", "z1")
	if len(opened) != 1 || opened[0].Kind != model.EventIncidentOpened || opened[0].Node != "host:a" || opened[0].Host != "b" || !strings.HasPrefix(opened[0].Summary, "a crashed") {
		t.Errorf("opened %+v", opened)
	}
	if again := w.reported("c", model.VerdictCrashed, "a", "z1"); len(again) != 0 {
		t.Errorf("of one death told twice: %+v", again)
	}
	closed := w.reported("(manager)", model.VerdictCorrected, "a", "z1", corrects(model.VerdictCrashed, "restarted"))
	if len(closed) != 1 || closed[0].Kind != model.EventIncidentClosed || closed[0].Node != "host:a" {
		t.Errorf("closed %+v", closed)
	}
	zone := w.reported("(manager)", model.VerdictSegment, "z1", "z1")
	if len(zone) != 1 || zone[0].Kind != model.EventIncidentOpened || zone[0].Node != "ring:z1" {
		t.Errorf("of a zone %+v", zone)
	}
	if sick := OverviewOf(New(Limits{}), w.Graph, 10).Sick; len(sick) != 1 || sick[0].Node != "ring:z1" {
		t.Errorf("sick %+v", sick)
	}
	two := w.reported("(manager)", model.VerdictSegment, "z2", "z2")
	if len(two) != 1 || two[0].Node != "ring:z1" || !strings.HasPrefix(two[0].Summary, "z1, z2 cut off together") {
		t.Errorf("of two zones %+v", two)
	}
	away := w.reported("c", model.VerdictManager, model.ManagerHost, "")
	if len(away) != 1 || away[0].Kind != model.EventIncidentClosed || away[0].Node != "host:c" {
		t.Errorf("of the manager's absence %+v", away)
	}
	equal(t, "incidents", told(w.Incidents(false)), []string{
		"closed c could not reach the manager; over", "open z1, z2 cut off together", "closed a crashed: nobody hears anything from there (z1); over",
	})
	equal(t, "open ones", told(w.Incidents(true)), []string{"open z1, z2 cut off together"})
}

// TestHostsThatWereCutOff say so themselves afterwards, and it was their zone.
func TestHostsThatWereCutOff(t *testing.T) {
	w := newWorld(t)
	reunited := func(v *model.Verdict) { v.Evidence.Clue, v.Evidence.Silent = "reunited", time.Minute }
	one := w.reported("a", model.VerdictLink, "a", "z1", reunited)
	two := w.reported("b", model.VerdictLink, "b", "z1", reunited)
	if len(one) != 1 || len(two) != 1 || one[0].Node != "host:a" || two[0].Node != "ring:z1" || two[0].Kind != model.EventIncidentClosed {
		t.Errorf("%+v, %+v", one, two)
	}
}

// TestIncidentsOfThePast replays the log up to each moment.
func TestIncidentsOfThePast(t *testing.T) {
	w := newWorld(t)
	w.planned("z1", "a", "b", "c")
	w.reported("b", model.VerdictCrashed, "a", "z1")
	w.reported("(manager)", model.VerdictCorrected, "a", "z1", corrects(model.VerdictCrashed, "answer"))
	for n, want := range [][]string{
		{}, {}, {"open a crashed: nobody hears anything from there (z1)"},
		{"corrected a crashed: nobody hears anything from there (z1); corrected: the same life goes on"},
	} {
		g, events := replay(w.docs[:n])
		equal(t, fmt.Sprintf("after %d documents", n), told(g.Incidents(false)), want)
		if fmt.Sprint(events) != fmt.Sprint(w.seen[:len(events)]) {
			t.Errorf("after %d documents, events %v", n, events)
		}
	}
}

// TestIncidentsHaveTheTimeOfTheLog: hosts' clocks differ, and the manager's counts.
func TestIncidentsHaveTheTimeOfTheLog(t *testing.T) {
	v := model.Verdict{ID: model.ReportID{Reporter: "b", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: model.RingMember{Host: "a"}, At: t0.Add(-time.Hour)}
	doc, err := model.VerdictDocument(v, "b")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]time.Time{
		"2026-11-20.19:26:03.123456.verdicts.b": time.Date(2026, 11, 20, 19, 26, 3, 123456000, time.UTC),
		"odd":                                   doc.Time,
		"a key that is none, and is longer":     doc.Time,
	} {
		g := New(Limits{})
		g.Apply(key, doc)
		if got := g.Incidents(false); len(got) != 1 || !got[0].Opened.Equal(want) {
			t.Errorf("%s: %+v, want %v", key, got, want)
		}
	}
}

// TestIncidentsOfOneMoment: the one that came last is the newest.
func TestIncidentsOfOneMoment(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{"a", "b", "c"} {
		w.now = t0
		w.reported("w", model.VerdictCrashed, host, "")
	}
	var got []string
	for _, i := range w.Incidents(false) {
		got = append(got, i.Subjects...)
	}
	equal(t, "subjects", got, []string{"c", "b", "a"})
}

// TestGoneVerdicts: a log that expires takes nothing back.
func TestGoneVerdicts(t *testing.T) {
	w := newWorld(t)
	w.reported("b", model.VerdictCrashed, "a", "z1")
	gone := w.docs[0]
	gone.Body = nil
	if e := w.apply(gone); len(e) != 0 || len(w.Incidents(true)) != 1 || len(w.Stats().Rejected) != 0 {
		t.Errorf("events %v, incidents %v, rejected %v", e, w.Incidents(true), w.Stats().Rejected)
	}
}

func TestGarbageIsRejected(t *testing.T) {
	w := newWorld(t)
	w.planned("z1", "a", "b")
	before := state(t, w.Graph)
	verdicts := []string{`7`, `{}`, `{"id":{"reporter":""},"subject":{"host":"a"}}`, `{"id":{"reporter":"b"}}`, `{"id":{"reporter":"b"},"subject":{"host":7}}`}
	for _, body := range verdicts {
		w.apply(model.Document{Name: model.Name{Host: "b", Package: model.PackageVerdicts, Key: "1.1"}, Time: t0, Body: json.RawMessage(body)})
	}
	rings := []string{`7`, `{}`, `{"id":"z1"}`, `{"id":"z9","members":[{"host":""}]}`, `{"id":"z9","members":[{"host":"a"},{}]}`}
	for _, body := range rings {
		w.apply(model.Document{Name: model.Name{Host: "boss", Package: model.PackageRings, Key: "z9"}, Time: t0, Body: json.RawMessage(body)})
	}
	w.apply(model.Document{Name: model.Name{Host: "boss", Package: model.PackageRings}, Time: t0, Body: json.RawMessage(`{"members":[{"host":"a"}]}`)})
	rejected := w.Stats().Rejected
	if rejected[model.PackageVerdicts] != uint64(len(verdicts)) || rejected[model.PackageRings] != uint64(len(rings))+1 {
		t.Errorf("rejected %v", rejected)
	}
	clear(w.rejected)
	if after := state(t, w.Graph); after != before || len(w.Incidents(false)) != 0 {
		t.Errorf("garbage changed the graph: %s, incidents %v", difference(before, after), w.Incidents(false))
	}
}

// chaos makes documents of rings and verdicts that are hardly ever sensible.
type chaos struct{ *rand.Rand }

func (c chaos) pick(list ...string) string { return list[c.IntN(len(list))] }

func (c chaos) host() string { return c.pick("a", "b", "c", "d", "z1", "", model.ManagerHost, "a") }

func (c chaos) kind() model.VerdictKind {
	return []model.VerdictKind{
		model.VerdictHung, model.VerdictEnded, model.VerdictCrashed, model.VerdictShutdown, model.VerdictStopped, model.VerdictLink, model.VerdictSegment,
		model.VerdictPartition, model.VerdictManager, model.VerdictUnobservable, model.VerdictCorrected, model.VerdictCorrected, "", "of-a-later-version",
	}[c.IntN(14)]
}

func (c chaos) id() model.ReportID {
	return model.ReportID{Reporter: c.host(), Incarnation: model.Incarnation(c.IntN(2)), Sequence: c.Uint64N(6)}
}

func (c chaos) document(at time.Time) model.Document {
	var body any
	name := model.Name{Host: c.pick("a", "boss"), Package: model.PackageVerdicts, Key: c.pick("z1", "z2", "1.1", "")}
	switch c.IntN(8) {
	case 0:
		body = c.pick("text", "")
	case 1, 2:
		name.Package = model.PackageRings
		r := model.Ring{ID: model.RingID(name.Key)}
		for range c.IntN(5) {
			r.Members = append(r.Members, model.RingMember{Host: c.host()})
		}
		body = r
	case 3:
		name.Package = c.pick(model.PackageRings, model.PackageVerdicts) // gone
	default:
		v := model.Verdict{ID: c.id(), Kind: c.kind(), Subject: model.RingMember{Host: c.host(), Zone: c.pick("", "z1", "a")}, Was: c.kind(), Became: c.kind()}
		v.Evidence.Clue, v.Evidence.Silent = c.pick("", "reunited", "restarted", "answer"), time.Duration(c.Int64N(1<<40)-1<<39)
		if c.IntN(2) == 0 {
			id := c.id()
			v.Corrects, v.Became = &id, ""
		}
		for range c.IntN(3) {
			v.Evidence.Observations = append(v.Evidence.Observations, model.Observation{Observer: c.host(), Sight: model.SightNothing})
		}
		body = v
	}
	doc, err := model.NewDocument(name, at, body)
	if err != nil {
		panic(err) // of plain values
	}
	return doc
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAnyOrderOfGarbage: the graph stands, answers, and is the same when it is replayed.
func TestAnyOrderOfGarbage(t *testing.T) {
	incidents := 0
	for seed := range uint64(300) {
		c := chaos{rand.New(rand.NewPCG(seed, 11))}
		w := newWorld(t)
		for range 120 {
			w.now = w.now.Add(time.Duration(c.IntN(20)) * time.Second)
			w.apply(c.document(w.now))
		}
		all := w.Incidents(false)
		incidents += len(all)
		if !slices.IsSortedFunc(all, func(a, b model.Incident) int { return b.Opened.Compare(a.Opened) }) {
			t.Fatalf("seed %d: incidents are not in order", seed)
		}
		for _, i := range all {
			if len(i.Subjects) == 0 || i.Summary == "" || len(i.Back) > len(i.Subjects) {
				t.Fatalf("seed %d: %+v", seed, i)
			}
		}
		OverviewOf(New(Limits{}), w.Graph, 10)
		again, events := replay(w.docs)
		if a, b := state(t, w.Graph), state(t, again); a != b {
			t.Fatalf("seed %d: graphs differ at %s", seed, difference(a, b))
		}
		if fmt.Sprint(events) != fmt.Sprint(w.seen) || asJSON(t, again.Incidents(false)) != asJSON(t, all) {
			t.Fatalf("seed %d: events or incidents differ", seed)
		}
	}
	if incidents < 1000 {
		t.Errorf("only %d incidents were made of it", incidents)
	}
}
