package tenants

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

var at = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func border() *Border {
	return New("red", func(host string) string {
		return map[string]string{"red-1": "red", "red-2": "red", "blue-1": "blue"}[host]
	}, []byte("a secret"))
}

func entry(t *testing.T, host, pkg, key string, body any) store.Entry {
	t.Helper()
	d, err := model.NewDocument(model.Name{Host: host, Package: pkg, Key: key}, at, body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		d.Body = nil
	}
	return store.Entry{Key: store.NewKey(at, d.Name), Document: d}
}

func verdict(reporter, subject string, observers ...string) model.Verdict {
	v := model.Verdict{ID: model.ReportID{Reporter: reporter, Incarnation: 3, Sequence: 1}, Kind: model.VerdictCrashed, Subject: model.RingMember{Host: subject, Zone: "switch:1"}, Bridged: "blue-1", Corrects: &model.ReportID{Reporter: "blue-1", Incarnation: 1, Sequence: 1}}
	for _, o := range observers {
		v.Evidence.Observations = append(v.Evidence.Observations, model.Observation{Observer: o, Sight: model.SightNothing})
	}
	return v
}

func TestPass(t *testing.T) {
	zone := verdict("(manager)", "switch:1", "red-1", "blue-1")
	ring := model.Ring{ID: "switch:1", Zone: "switch:1", Members: []model.RingMember{{Host: "red-1"}, {Host: "blue-1"}}}
	alien := model.Ring{ID: "switch:2", Members: []model.RingMember{{Host: "blue-1"}}}
	for name, c := range map[string]struct {
		e    store.Entry
		want bool
	}{
		"its host":                               {entry(t, "red-1", model.PackageOS, "", map[string]string{"a": "blue-1's, as its own host heard"}), true},
		"another's host":                         {entry(t, "blue-1", model.PackageOS, "", struct{}{}), false},
		"a host of no tenant":                    {entry(t, "core-1", model.PackageOS, "", struct{}{}), false},
		"of its host by its host":                {entry(t, "red-1", model.PackageVerdicts, "3.1", verdict("red-1", "red-2")), true},
		"of its host by another":                 {entry(t, "blue-1", model.PackageVerdicts, "3.1", verdict("blue-1", "red-1", "blue-1", "core-1", "red-2")), true},
		"of its host by way of another":          {entry(t, "core-1", model.PackageVerdicts, "blue-1.3.1", verdict("blue-1", "red-1")), true},
		"of another's host by its own":           {entry(t, "red-1", model.PackageVerdicts, "3.1", verdict("red-1", "blue-1")), false},
		"of a zone with one of its":              {entry(t, "manager", model.PackageVerdicts, "3.1", zone), true},
		"of another zone":                        {entry(t, "manager", model.PackageVerdicts, "3.1", verdict("(manager)", "switch:9", "blue-1")), false},
		"of the manager by its host":             {entry(t, "red-1", model.PackageVerdicts, "3.1", verdict("red-1", model.ManagerHost)), true},
		"of the manager by another":              {entry(t, "blue-1", model.PackageVerdicts, "3.1", verdict("blue-1", model.ManagerHost)), false},
		"a ring with one of its":                 {entry(t, "manager", model.PackageRings, "switch:1", ring), true},
		"a ring of others":                       {entry(t, "manager", model.PackageRings, "switch:2", alien), false},
		"the end of a ring of others":            {entry(t, "manager", model.PackageRings, "switch:2", nil), false},
		"what its operator took on":              {entry(t, "manager", model.PackageAcks, "red-1/1/1", model.Ack{By: "ann", Tenant: "red"}), true},
		"what it took on, that another reported": {entry(t, "manager", model.PackageAcks, "blue-1/1/1", model.Ack{By: "ann", Tenant: "red"}), true},
		"what another took on":                   {entry(t, "manager", model.PackageAcks, "blue-1/1/1", model.Ack{By: "bob", Tenant: "blue"}), false},
		"what somebody of none took on":          {entry(t, "manager", model.PackageAcks, "red-1/1/1", model.Ack{By: "admin"}), false},
		"labels of its host":                     {entry(t, "manager", model.PackageLabels, "red-1", model.HostLabels{Host: "red-1", Label: "x"}), true},
		"labels of another's host":               {entry(t, "manager", model.PackageLabels, "blue-1", model.HostLabels{Host: "blue-1", Label: "x"}), false},
		"a clone of its host":                    {entry(t, "manager", model.PackageRefused, "red-1", model.Refused{Host: "red-1"}), true},
		"a clone of another's host":              {entry(t, "manager", model.PackageRefused, "blue-1", model.Refused{Host: "blue-1"}), false},
		"a clone of another's, under its name":   {entry(t, "manager", model.PackageRefused, "red-1", model.Refused{Host: "blue-1"}), false},
		"its silence":                            {entry(t, "manager", model.PackageSilences, "s", model.Silence{ID: "s", Tenant: "red"}), true},
		"another's silence":                      {entry(t, "manager", model.PackageSilences, "s", model.Silence{ID: "s", Tenant: "blue"}), false},
		"the end of another's":                   {entry(t, "manager", model.PackageAcks, "blue-1/1/1", nil), false},
		"a verdict that is none":                 {entry(t, "red-1", model.PackageVerdicts, "3.1", "blue-1"), false},
		"a ring that is none, of a host":         {entry(t, "red-1", model.PackageRings, "x", "blue-1"), false},
	} {
		b := border()
		got, ok := b.Pass(c.e)
		if ok != c.want {
			t.Errorf("%s: %v", name, ok)
		}
		raw, _ := json.Marshal(got)
		text := string(raw) + string(got.Key)
		if ok && got.Document.Package != model.PackageOS && (strings.Contains(text, "blue") || strings.Contains(text, "core")) {
			t.Errorf("%s passes as %s", name, text)
		}
		if when, err := got.Key.Time(); ok && (err != nil || !when.Equal(at)) {
			t.Errorf("%s: key %q", name, got.Key)
		}
	}
}

// TestEndPasses sees that what passed also ends on the tenant's side, and what never did
// is not heard of at its end.
func TestEndPasses(t *testing.T) {
	b := border()
	whole := model.Ring{ID: "r", Members: []model.RingMember{{Host: "red-1"}, {Host: "blue-1"}}}
	left := model.Ring{ID: "r", Members: []model.RingMember{{Host: "blue-1"}}}
	for n, step := range []struct {
		body any
		want string
	}{{left, "nothing"}, {whole, "ring"}, {left, "end"}, {whole, "ring"}, {nil, "end"}} {
		e, ok := b.Pass(entry(t, "manager", model.PackageRings, "r", step.body))
		got := "nothing"
		switch {
		case ok && e.Document.Gone():
			got = "end"
		case ok:
			got = "ring"
		}
		if got != step.want {
			t.Errorf("step %d: %s, want %s", n, got, step.want)
		}
	}
}

// TestMask holds masks against each other: one host has one, two have two, and each tenant
// has its own.
func TestMask(t *testing.T) {
	red, again := border(), border()
	blue := New("blue", red.of, red.key)
	if red.Mask("core-1") != again.Mask("core-1") || red.Mask("core-1") == red.Mask("core-2") || red.Mask("core-1") == blue.Mask("core-1") {
		t.Error("masks are not what they should be")
	}
	if red.Mask("red-1") != "red-1" || red.Mask(model.ManagerHost) != model.ManagerHost || red.Mask("") != "" {
		t.Error("what needs no mask has one")
	}
	if masked := red.Report("blue-1/3/1"); red.Report(masked) != masked {
		t.Error("a mask is masked again")
	}
	if got := red.Report("blue-1/3/1"); strings.Contains(got, "blue") || !strings.HasSuffix(got, "/3/1") || red.Report("service-gone-0123456789") != "service-gone-0123456789" {
		t.Errorf("got %q", got)
	}
}

// TestLive looks at rings and hosts as they are.
func TestLive(t *testing.T) {
	b := border()
	r, ok := b.Ring(model.RingHealth{Ring: model.Ring{Members: []model.RingMember{{Host: "red-1"}, {Host: "blue-1"}}}, Unwell: []string{"blue-1"}, Unacknowledged: []string{"blue-1", "red-1"}})
	raw, _ := json.Marshal(r)
	if !ok || strings.Contains(string(raw), "blue") || len(r.Members) != 1 || len(r.Unacknowledged) != 1 {
		t.Errorf("%v %s", ok, raw)
	}
	if _, ok := b.Ring(model.RingHealth{Ring: model.Ring{Members: []model.RingMember{{Host: "blue-1"}}}}); ok {
		t.Error("a ring of others passes")
	}
	h, ok := b.Host(model.HostLiveness{Host: "red-1", WatchedBy: []string{"blue-1", "red-2", model.ManagerHost}})
	if !ok || strings.Contains(strings.Join(h.WatchedBy, " "), "blue") || h.WatchedBy[1] != "red-2" || h.WatchedBy[2] != model.ManagerHost {
		t.Errorf("%v %v", ok, h)
	}
	if _, ok := b.Host(model.HostLiveness{Host: "blue-1"}); ok {
		t.Error("another's host passes")
	}
}

// FuzzPass gives bodies of all kinds: whatever passes names nobody of another tenant.
func FuzzPass(f *testing.F) {
	f.Add(model.PackageVerdicts, []byte(`{"id":{"reporter":"blue-1"},"subject":{"host":"red-1"},"evidence":{"observations":[{"observer":"blue-1"}]}}`))
	f.Add(model.PackageRings, []byte(`{"id":"r","members":[{"host":"blue-1"},{"host":"red-1"}]}`))
	f.Add(model.PackageAcks, []byte(`{"tenant":"red"}`))
	f.Fuzz(func(t *testing.T, pkg string, body []byte) {
		b := border()
		e := store.Entry{Document: model.Document{Name: model.Name{Host: "manager", Package: pkg, Key: "k"}, Time: at, Body: body}}
		e.Key = store.NewKey(at, e.Document.Name)
		got, ok := b.Pass(e)
		if !ok || pkg != model.PackageVerdicts && pkg != model.PackageRings {
			return
		}
		var v struct {
			ID       struct{ Reporter string }
			Evidence struct{ Observations []model.Observation }
			Members  []model.RingMember
		}
		_ = json.Unmarshal(got.Document.Body, &v)
		for _, o := range v.Evidence.Observations {
			v.Members = append(v.Members, model.RingMember{Host: o.Observer})
		}
		for _, m := range append(v.Members, model.RingMember{Host: v.ID.Reporter}) {
			if m.Host == "blue-1" || m.Host == "core-1" {
				t.Errorf("%s passes", got.Document.Body)
			}
		}
	})
}
