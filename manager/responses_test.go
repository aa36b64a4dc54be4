package manager

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"cassini/manager/alerts"
	"cassini/manager/api"
	"cassini/model"
)

// crash makes an incident, and returns it.
func (r *running) crash(host string) model.Incident {
	r.t.Helper()
	v := model.Verdict{ID: model.ReportID{Reporter: "w-" + host, Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: model.RingMember{Host: host}, At: time.Now()}
	doc, err := model.VerdictDocument(v, "watcher")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.Accept(r.t.Context(), []model.Document{doc}); err != nil {
		r.t.Fatal(err)
	}
	return r.graph.Incidents(true)[0]
}

func TestAcknowledge(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	i := r.crash("db-1")
	now := time.Now()
	for want, try := range map[error]func() error{
		api.ErrUnknown: func() error { return r.Acknowledge(t.Context(), "nothing", &model.Ack{By: "ann", At: now}) },
		api.ErrInvalid: func() error {
			return r.Acknowledge(t.Context(), i.ID, &model.Ack{By: "ann", At: now, Until: now.Add(-time.Second)})
		},
		nil: func() error { return r.Acknowledge(t.Context(), i.ID, &model.Ack{By: "ann", At: now, Why: "mine"}) },
	} {
		if err := try(); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir) // it is in the log
	if list := ask[[]model.Incident](r, "/api/v1/incidents"); len(list) != 1 || list[0].Ack == nil || list[0].Ack.By != "ann" || list[0].Affected == nil {
		t.Errorf("got %+v", list)
	}
	if err := r.Acknowledge(t.Context(), i.ID, nil); err != nil || r.graph.Incidents(true)[0].Ack != nil {
		t.Errorf("%v, %+v", err, r.graph.Incidents(true)[0])
	}
}

func TestSilence(t *testing.T) {
	r := start(t, t.TempDir())
	r.crash("db-1")
	now := time.Now()
	good := model.Silence{Subject: "db-*", By: "ann", At: now, Until: now.Add(time.Hour), Why: "work"}
	for name, edit := range map[string]func(*model.Silence){
		"everything":    func(s *model.Silence) { s.Subject = "" },
		"a bad pattern": func(s *model.Silence) { s.Subject = "[" },
		"no such kind":  func(s *model.Silence) { s.Kind = "x" },
		"no severity":   func(s *model.Silence) { s.Severity = "x" },
		"for no reason": func(s *model.Silence) { s.Why = "" },
		"over already":  func(s *model.Silence) { s.Until = now },
		"for ever":      func(s *model.Silence) { s.Until = now.Add(2 * maxSilence) },
	} {
		s := good
		edit(&s)
		if _, err := r.Silence(t.Context(), s); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	made, err := r.Silence(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if list := ask[[]model.Incident](r, "/api/v1/incidents"); list[0].Silenced != made.ID {
		t.Errorf("got %+v", list)
	}
	if _, err := r.EndSilence(t.Context(), "nothing"); !errors.Is(err, api.ErrUnknown) {
		t.Errorf("got %v", err)
	}
	if _, err := r.EndSilence(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if list := ask[[]model.Incident](r, "/api/v1/incidents"); list[0].Silenced != "" {
		t.Errorf("got %+v", list)
	}
}

// TestReceiverOfTheManager: a program is told by a manager, and its file goes when the
// receiver does.
func TestReceiverOfTheManager(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, func(c *Config) { c.Alerts = alerts.Settings{Program: "/bin/true"} })
	r.crash("db-1")
	eventually(t, "it is told", func() bool {
		stats := ask[[]model.ReceiverStats](r, "/api/v1/alerts/receivers")
		return len(stats) == 1 && stats[0].Sent == 1 && stats[0].Firing == 1 && len(r.AlertStats()) == 1
	})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir)
	if r.AlertStats() != nil {
		t.Error("it has receivers")
	}
	if err := New(Config{DataDir: t.TempDir(), Alerts: alerts.Settings{Program: "true"}}).openAlerts(); !errors.Is(err, alerts.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// TestPastHasItsIncidents: what was due by then, and nothing later.
func TestPastHasItsIncidents(t *testing.T) {
	r := start(t, t.TempDir())
	doc := listener("web-17", "nginx", 80, model.StateEnded)
	var l model.Listener
	if err := doc.Decode(&l); err != nil {
		t.Fatal(err)
	}
	l.Since = time.Now().Add(-time.Hour)
	began := l
	began.State, began.Ended = model.StateListening, nil
	for _, body := range []model.Listener{began, l} {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		doc.Body = raw
		if err := r.Accept(t.Context(), []model.Document{doc}); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(2 * time.Minute)
	for at, want := range map[time.Time]int{time.Now(): 0, later: 1} {
		g, err := r.past.graph(t.Context(), at, at)
		if err != nil || len(g.Incidents(true)) != want {
			t.Errorf("%d incidents, want %d: %v", len(g.Incidents(true)), want, err)
		}
	}
}

// eventually waits, generously.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begin := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("not within a minute: " + what)
		}
	}
}
