package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/manager/rings"
	"cassini/manager/rings/keeper"
	"cassini/model"
)

// ringed is a manager with rings.
type ringed struct {
	*backend
	view   keeper.View
	fails  error
	joined []model.Join
	past   time.Time // that was asked for
}

func (b *ringed) Join(_ context.Context, j model.Join) (*model.Joined, error) {
	b.joined = append(b.joined, j)
	if b.fails != nil {
		return nil, b.fails
	}
	return &model.Joined{Incarnation: j.Incarnation, Ring: model.ManagerRing(j.Host), Assignments: []*model.Assignment{{Ring: "z1", Epoch: 7}}}, nil
}

func (b *ringed) Rings(context.Context) (keeper.View, error) { return b.view, b.fails }

func (b *ringed) Rotate(context.Context) error { return b.fails }

func (b *ringed) Graph(ctx context.Context, at time.Time) (*graph.Graph, error) {
	b.past = at
	return b.backend.Graph(ctx, at)
}

func newRinged(t *testing.T) (*ringed, http.Handler) {
	t.Helper()
	member := func(host string) model.RingMember {
		return model.RingMember{Host: host, Addr: netip.MustParseAddrPort("10.0.0.1:1985"), Incarnation: 3, Zone: "z1"}
	}
	b := &ringed{backend: filled(t), view: keeper.View{
		Rings: []model.RingHealth{{
			Ring:  model.Ring{ID: "z1", Epoch: 9, Zone: "z1", Members: []model.RingMember{member("a"), member("b")}, Profile: model.StandardProfile()},
			State: model.RingTorn, Unwell: []string{"b"}, Unacknowledged: []string{"a"},
		}},
		Hosts: []model.HostLiveness{
			{Host: "a", Addr: member("a").Addr, Zone: "z1", Incarnation: 3, State: "up", Since: now, Watch: "kernel", Rings: []model.RingID{"z1"}, WatchedBy: []string{"b"}},
			{Host: "b", Addr: member("b").Addr, Zone: "z1", Incarnation: 3, State: "hung", Since: now, Rings: []model.RingID{"z1"}, WatchedBy: []string{"a"}},
			{Host: "c", Addr: member("c").Addr, Incarnation: 1, State: "up", Since: now, WatchedBy: []string{model.ManagerHost}},
		},
	}}
	cfg := config(b.backend)
	cfg.Backend = b
	return b, New(cfg)
}

// list asks for a list.
func list[T any](t *testing.T, h http.Handler, target string) (all []T) {
	t.Helper()
	w := do(h, "GET", target, "")
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || w.Code != 200 || all == nil {
		t.Fatalf("%s: %d %v: %s", target, w.Code, err, w.Body)
	}
	return all
}

func TestRings(t *testing.T) {
	b, h := newRinged(t)
	got := list[model.RingHealth](t, h, "/api/v1/rings")
	if len(got) != 1 || got[0].ID != "z1" || len(got[0].Members) != 2 || got[0].State != model.RingTorn || got[0].Unwell[0] != "b" || got[0].Unacknowledged[0] != "a" {
		t.Errorf("got %+v", got)
	}
	wantProblem(t, do(h, "GET", "/api/v1/rings?host=a", ""), 400, "none is allowed")
	b.view = keeper.View{} // a manager without rings
	for _, target := range []string{"/api/v1/rings", "/api/v1/liveness"} {
		if w := do(h, "GET", target, ""); w.Body.String() != "[]\n" {
			t.Errorf("%s without rings: %s", target, w.Body)
		}
	}
}

func TestLiveness(t *testing.T) {
	_, h := newRinged(t)
	for query, want := range map[string]string{
		"": "a b c", "?host=b": "b", "?host=nobody": "", "?state=up": "a c", "?state=hung": "b", "?state=crashed": "", "?state=up&host=c": "c", "?state=up&host=b": "",
	} {
		var hosts []string
		for _, l := range list[model.HostLiveness](t, h, "/api/v1/liveness"+query) {
			hosts = append(hosts, l.Host)
		}
		if got := strings.Join(hosts, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	wantProblem(t, do(h, "GET", "/api/v1/liveness?state=dead", ""), 400, "want one of up, hung")
}

// TestStatesOfHosts: each state that the rings know can be asked for.
func TestStatesOfHosts(t *testing.T) {
	_, h := newRinged(t)
	for _, s := range []rings.State{rings.Up, rings.Hung, rings.Ended, rings.Stopped, rings.Shutdown, rings.Crashed, rings.LinkDown, rings.Unobservable} {
		if w := do(h, "GET", "/api/v1/liveness?state="+string(s), ""); w.Code != 200 {
			t.Errorf("%s: %d %s", s, w.Code, w.Body)
		}
	}
}

// died brings a verdict.
func (b *ringed) died(t *testing.T, sequence uint64, host string, kind model.VerdictKind) {
	t.Helper()
	v := model.Verdict{ID: model.ReportID{Reporter: "w", Incarnation: 1, Sequence: sequence}, Kind: kind, Subject: model.RingMember{Host: host}, At: now, Was: model.VerdictCrashed}
	v.Evidence = model.Evidence{Silent: 3 * time.Second, Clue: "restarted", Observations: []model.Observation{{Observer: "w", Sight: model.SightNothing}}}
	doc, err := model.VerdictDocument(v, "w")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accept(t.Context(), []model.Document{doc}); err != nil {
		t.Fatal(err)
	}
}

func TestIncidents(t *testing.T) {
	b, h := newRinged(t)
	if got := list[model.Incident](t, h, "/api/v1/incidents"); len(got) != 0 {
		t.Errorf("in peace: %+v", got)
	}
	b.died(t, 1, "a", model.VerdictCrashed)
	b.died(t, 2, "b", model.VerdictHung)
	b.died(t, 3, "c", model.VerdictEnded)
	b.died(t, 4, "a", model.VerdictCorrected)
	for query, want := range map[string]string{
		"": "c b a", "?open=false": "c b a", "?open=true": "c b", "?limit=2": "c b", "?limit=1&open=true": "c", "?at=2026-11-20T19:00:00Z": "",
	} {
		var subjects []string
		for _, i := range list[model.Incident](t, h, "/api/v1/incidents"+query) {
			subjects = append(subjects, i.Subjects...)
		}
		if got := strings.Join(subjects, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	do(h, "GET", "/api/v1/incidents?at=2026-11-20T19:00:00Z", "")
	if want := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC); !b.past.Equal(want) {
		t.Errorf("asked for %v, want %v", b.past, want)
	}
	for query, text := range map[string]string{"?open=maybe": "want one of true, false", "?limit=0": "from 1", "?at=soon": "want a time"} {
		wantProblem(t, do(h, "GET", "/api/v1/incidents"+query, ""), 400, text)
	}
}

const goodJoin = `{"host":"a","addr":"10.0.0.1:1985","incarnation":3,"zone":"z1","chassis":"blade-1","watch":"kernel"}`

func TestJoin(t *testing.T) {
	b, h := newRinged(t)
	w := do(h, "POST", "/api/v1/rings/join", goodJoin)
	var answer model.Joined
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.Ring != "manager/a" || len(answer.Assignments) != 1 || answer.Assignments[0].Epoch != 7 {
		t.Errorf("%d %v: %s", w.Code, err, w.Body)
	}
	want := model.Join{RingMember: model.RingMember{Host: "a", Addr: netip.MustParseAddrPort("10.0.0.1:1985"), Incarnation: 3, Zone: "z1"}, Chassis: "blade-1", Watch: "kernel"}
	if len(b.joined) != 1 || b.joined[0] != want {
		t.Errorf("joined %+v", b.joined)
	}
	if w := do(h, "POST", "/api/v1/rings/join", goodJoin, header("Content-Type", "application/json; charset=utf-8")); w.Code != 200 {
		t.Errorf("with a character set: %d", w.Code)
	}
}

func TestJoinThatCannotBeRead(t *testing.T) {
	b, h := newRinged(t)
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		"":                              {400, "not the JSON"},
		"{":                             {400, "not the JSON"},
		goodJoin + "{}":                 {400, "after top-level"},
		`{"host":7}`:                    {400, "cannot unmarshal"},
		`{"host":"a","addr":"nowhere"}`: {400, "not an ip:port"},
		`{"host":"` + strings.Repeat("x", maxJoin) + `"}`: {413, "too large"},
	} {
		wantProblem(t, do(h, "POST", "/api/v1/rings/join", body), want.status, want.text)
	}
	for _, media := range []string{"text/plain", "", "application/json;;"} {
		wantProblem(t, do(h, "POST", "/api/v1/rings/join", goodJoin, header("Content-Type", media)), 415, "application/json")
	}
	wantProblem(t, do(h, "POST", "/api/v1/rings/join", goodJoin, header("Origin", "http://evil")), 403, "web pages")
	wantProblem(t, do(h, "GET", "/api/v1/rings/join", ""), 405, "only POST")
	if len(b.joined) != 0 {
		t.Errorf("joined %+v", b.joined)
	}
}

// TestJoinThatFails: a refusal is told from what a later attempt may help against.
func TestJoinThatFails(t *testing.T) {
	b, h := newRinged(t)
	for text, tc := range map[string]struct {
		err    error
		status int
	}{
		"name is missing":                {fmt.Errorf("%w: name is missing", rings.ErrInvalid), 400},
		"at once":                        {rings.ErrBusy, 503},
		"no room for another host":       {fmt.Errorf("%w: 100000", rings.ErrFull), 503},
		"has ended":                      {keeper.ErrClosed, 503},
		"whatever else may be the cause": {errors.New("whatever else may be the cause"), 503},
	} {
		b.fails = tc.err
		w := do(h, "POST", "/api/v1/rings/join", goodJoin)
		wantProblem(t, w, tc.status, text)
		if later := w.Header().Get("Retry-After"); (later != "") != (tc.status == 503) {
			t.Errorf("%s: Retry-After %q", text, later)
		}
	}
}

func TestRotate(t *testing.T) {
	b, h := newRinged(t)
	if w := do(h, "POST", "/api/v1/rings/rotate", ""); w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.fails = errors.New("disk on fire")
	wantProblem(t, do(h, "POST", "/api/v1/rings/rotate", ""), 500, "disk on fire")
}

// TestManagerThatEnds: what its keeper of rings cannot answer any more is no fault.
func TestManagerThatEnds(t *testing.T) {
	b, h := newRinged(t)
	b.fails = keeper.ErrClosed
	for target, method := range map[string]string{"/api/v1/rings": "GET", "/api/v1/liveness": "GET", "/api/v1/rings/rotate": "POST"} {
		w := do(h, method, target, "")
		wantProblem(t, w, 503, "has ended")
		if w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", target)
		}
	}
	b.fails = errors.New("odd")
	wantProblem(t, do(h, "GET", "/api/v1/liveness", ""), 500, "odd")
}

// TestRingsAreDescribed holds answers against the OpenAPI description.
func TestRingsAreDescribed(t *testing.T) {
	b, h := newRinged(t)
	b.died(t, 1, "a", model.VerdictCrashed)
	s := spec(t)
	for _, path := range []string{"/api/v1/rings", "/api/v1/liveness", "/api/v1/incidents"} {
		schema := at(s, "paths", path, "get", "responses", "200", "content", "application/json", "schema")
		for _, e := range check(s, schema, any(list[any](t, h, path)), path) {
			t.Error(e)
		}
	}
	for _, part := range []string{"requestBody", "responses"} {
		if at(s, "paths", "/api/v1/rings/join", "post", part) == nil {
			t.Errorf("%s of a join is not described", part)
		}
	}
	for _, promise := range []string{"liveness host state", "incidents open limit at", "nodegraph kind host id depth group limit at", "rings"} {
		words := strings.Fields(promise)
		var names []string
		for _, p := range at(s, "paths", "/api/v1/"+words[0], "get", "parameters").([]any) {
			names = append(names, at(p, "name").(string))
		}
		if fmt.Sprint(names) != fmt.Sprint(words[1:]) {
			t.Errorf("%s has parameters %v", words[0], names)
		}
	}
	if at(s, "paths", "/api/v1/rings/rotate", "post", "responses", "204") == nil {
		t.Error("rotation is not described")
	}
}
