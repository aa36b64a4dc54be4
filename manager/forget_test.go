package manager

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cassini/manager/api"
	"cassini/manager/audit"
	"cassini/manager/enroll"
	"cassini/manager/graph"
	"cassini/model"
)

// aging is a clock that a test moves on.
type aging struct{ ahead atomic.Int64 }

func (a *aging) now() time.Time          { return time.Now().Add(time.Duration(a.ahead.Load())) }
func (a *aging) advance(d time.Duration) { a.ahead.Add(int64(d)) }

// names are what the log has of a host that is not gone.
func (r *running) names(host string) (list []string) {
	r.t.Helper()
	docs, err := r.Documents(r.t.Context(), model.Name{Host: host}, time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range docs {
		list = append(list, d.Package)
	}
	return list
}

// numbered delivers documents as an agent does, which says what the manager should have then.
func (r *running) numbered(host string, from uint64, docs []model.Document, has ...model.Document) model.Receipt {
	r.t.Helper()
	check := &model.Check{Rule: model.CompareRule}
	for _, d := range append(has, docs...) {
		check.Add(model.HashOf(d))
	}
	receipt, err := r.Deliver(r.t.Context(), model.Batch{Host: host, First: model.Position{Incarnation: 5, Sequence: from}, Documents: docs, Check: check})
	if err != nil {
		r.t.Fatal(err)
	}
	return receipt
}

// TestForgetHost forgets a host by the API: nothing of it is left but its past, and what it
// says afterwards is compared, so that it tells all again.
func TestForgetHost(t *testing.T) {
	m := start(t, t.TempDir(), func(c *Config) { c.Rings.Listen = netip.MustParseAddrPort("127.0.0.1:0") })
	docs := []model.Document{listener("old", "nginx", 80, model.StateListening), dependency("old", "nginx", 5432, 3)}
	if r := m.numbered("old", 1, docs); !r.Compared || r.Differs {
		t.Fatalf("receipt %+v", r)
	}
	was := time.Now()
	m.accept(listener("other", "nginx", 80, model.StateListening))
	f, err := m.Forget(t.Context(), "old")
	if err != nil || f.Documents != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	if left := m.names("old"); left != nil {
		t.Errorf("left: %v", left)
	}
	if hosts := m.graph.HostNames(); !slices.Equal(hosts, []string{"other"}) {
		t.Errorf("hosts %v", hosts)
	}
	past, err := m.Graph(t.Context(), was)
	if err != nil || !past.Knows("old") {
		t.Errorf("the past is lost: %v", err)
	}
	if s := m.GraphStats(); s.HostsForgotten != 1 || s.Withdrawn != 3 {
		t.Errorf("counted %+v", s)
	}
	for host, want := range map[string]error{"old": api.ErrUnknown, "nobody": api.ErrUnknown, "web-17": api.ErrUp} {
		if _, err := m.Forget(t.Context(), host); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", host, err, want)
		}
	}
	if r := m.numbered("old", 3, []model.Document{listener("old", "nginx", 81, model.StateListening)}, docs...); !r.Compared || !r.Differs {
		t.Errorf("it comes back and is not asked to tell all: %+v", r)
	}
}

// TestForgetsNobodyWhoIsUp refuses to forget a host on a ring.
func TestForgetsNobodyWhoIsUp(t *testing.T) {
	clock := &aging{}
	m := start(t, t.TempDir(), func(c *Config) {
		c.Rings.Listen, c.ForgetAfter, c.Now = netip.MustParseAddrPort("127.0.0.1:0"), time.Hour, clock.now
	})
	// Nobody answers at its address, so that the manager soon finds it dead: then it joins anew.
	for life := range model.Incarnation(20) {
		m.accept(listener("up", "nginx", 80, model.StateListening))
		join := model.Join{RingMember: model.RingMember{Host: "up", Addr: netip.MustParseAddrPort("127.0.0.1:9"), Incarnation: life + 1}}
		if _, err := m.Join(t.Context(), join); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Forget(t.Context(), "up"); errors.Is(err, api.ErrUp) && strings.Contains(err.Error(), "its neighbors hear it") {
			return
		}
	}
	t.Error("a host that is up was forgotten 20 times")
}

// TestSilentHostsAreForgotten lets time pass over hosts that say nothing, one that does, and
// the record of one that joined.
func TestSilentHostsAreForgotten(t *testing.T) {
	clock := &aging{}
	m := newEstate(t, func(c *Config) { c.ForgetAfter, c.Now = 20*24*time.Hour, clock.now })
	pass := func(d time.Duration) {
		t.Helper()
		clock.advance(d)
		if err := m.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.tellLabels(t.Context())
	}
	if status, body := m.ask(m.admin, "POST", "/api/v1/hosts/forget", "application/json", `{"host":"core-1"}`); status != 200 || !strings.Contains(body, `"enrolled": true`) && !strings.Contains(body, `"enrolled":true`) {
		t.Errorf("%d %s", status, body)
	}
	red := m.token(enroll.TokenRequest{Role: enroll.RoleOperator, Tenant: "red"})
	if status, body := m.ask(red, "POST", "/api/v1/hosts/forget", "application/json", `{"host":"blue-1"}`); status != 403 {
		t.Errorf("a tenant: %d %s", status, body)
	}
	pass(19 * 24 * time.Hour)
	if n := len(m.graph.HostNames()); n != 4 {
		t.Fatalf("%d hosts after 19 days", n)
	}
	m.tell("red-1")
	pass(2 * 24 * time.Hour)
	if hosts := m.graph.HostNames(); !slices.Equal(hosts, []string{"red-1"}) {
		t.Errorf("hosts %v", hosts)
	}
	if n := len(m.enroll.Hosts()); n != 5 { // their certificates count for 30 days
		t.Errorf("%d records", n)
	}
	if _, err := m.enroll.Revoke("blue-1", "", clock.now()); err != nil {
		t.Fatal(err)
	}
	pass(10 * 24 * time.Hour)
	var records []string
	for _, r := range m.enroll.Hosts() {
		records = append(records, r.Host)
	}
	if !slices.Equal(records, []string{"blue-1", "red-1"}) { // what was shut out stays so
		t.Errorf("records %v", records)
	}
	if labels := m.graph.Labels(); len(labels) != 2 {
		t.Errorf("labels %v", labels)
	}
	list, err := m.audit.List(audit.Filter{Action: "host.forget", Limit: 10})
	if err != nil || len(list) != 5 || list[0].Who != "manager" {
		t.Errorf("audited %+v, %v", list, err)
	}
}

// TestWithdrawsWhatIsOver lets things end without end: the log keeps no name of them once the
// retention period is over, and a verdict stays as long as its incident is open.
func TestWithdrawsWhatIsOver(t *testing.T) {
	clock := &aging{}
	dir := t.TempDir()
	edit := func(c *Config) { c.Retention.MaxAge, c.Now = time.Hour, clock.now }
	m := start(t, dir, edit)
	for port := range uint16(50) {
		m.accept(listener("h", "job", 1000+port, model.StateListening), listener("h", "job", 1000+port, model.StateEnded))
	}
	m.accept(listener("h", "nginx", 80, model.StateListening))
	crash := model.Verdict{ID: model.ReportID{Reporter: "a", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, At: clock.now(), Subject: model.RingMember{Host: "h", Incarnation: 1}}
	back := crash
	back.ID.Sequence, back.Kind, back.Corrects, back.Evidence.Clue = 2, model.VerdictCorrected, &crash.ID, "restarted"
	verdict := func(v model.Verdict) {
		t.Helper()
		d, err := model.VerdictDocument(v, "a")
		if err != nil {
			t.Fatal(err)
		}
		m.accept(d)
	}
	tidy := func() {
		t.Helper()
		for range verdictsRare {
			if err := m.tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	verdict(crash)
	clock.advance(2 * time.Hour)
	tidy()
	if got := m.names("h"); len(got) != 1 {
		t.Errorf("%d names of h, want the service that listens", len(got))
	}
	if got := m.names("a"); len(got) != 1 {
		t.Errorf("the verdict of what is open went: %v", got)
	}
	if n := len(m.graph.Services(graph.ServiceFilter{})); n != 1 {
		t.Errorf("%d services", n)
	}
	verdict(back)
	clock.advance(2 * time.Hour)
	tidy()
	if list := m.graph.Incidents(false); len(list) > 0 {
		t.Errorf("incidents that are over: %v", list)
	}
	if got := m.names("a"); got != nil {
		t.Errorf("verdicts of what is over: %v", got)
	}
	var order []string
	for e, err := range m.store.Range(t.Context(), "", "") {
		if err == nil && e.Document.Host == "a" && e.Document.Gone() {
			order = append(order, e.Document.Key)
		}
	}
	if !slices.Equal(order, []string{"1.1", "1.2"}) {
		t.Errorf("withdrawn in the order %v: between the two a replay finds a death without an end", order)
	}
	clock.advance(2 * time.Hour)
	for i := range 100 {
		m.accept(dependency("h", "nginx", 5432, uint64(i)))
	}
	s, err := m.store.Stats()
	if err != nil || s.Names != 2 {
		t.Errorf("%d names in the log, %v", s.Names, err)
	}
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir, edit)
	for e, err := range again.store.Range(t.Context(), "", "") {
		if err != nil || e.Document.Host == "a" {
			t.Errorf("%v, %v", e.Key, err)
		}
	}
	if open := again.graph.Incidents(true); len(open) > 0 {
		t.Errorf("after a restart it is dead again: %+v", open)
	}
}
