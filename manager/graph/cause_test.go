package graph

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// ring puts hosts on one, so that their neighbors hear them.
func (w *world) ring(hosts ...string) {
	w.t.Helper()
	r := model.Ring{ID: "r", Epoch: 1}
	for _, h := range hosts {
		r.Members = append(r.Members, model.RingMember{Host: h, Zone: "z"})
	}
	w.put(model.Name{Host: "manager", Package: model.PackageRings, Key: "r"}, r)
}

// says is a verdict about a host.
func (w *world) says(host string, kind model.VerdictKind) []model.Event {
	w.t.Helper()
	v := model.Verdict{
		ID: model.ReportID{Reporter: "observer", Incarnation: 1, Sequence: uint64(len(w.docs))}, Kind: kind,
		Subject: model.RingMember{Host: host, Zone: "z", Incarnation: 1},
	}
	doc, err := model.VerdictDocument(v, "observer")
	if err != nil {
		w.t.Fatal(err)
	}
	doc.Time = w.now
	return w.apply(doc)
}

// at is a copy of the world as it stands.
func (w *world) at() *Graph {
	g := New(Limits{})
	for i, doc := range w.docs {
		g.Apply(fmt.Sprintf("%08d.%s.%s", i+1, doc.Package, doc.Host), doc)
	}
	return g
}

// told is one line for each explanation: score, and causes with what each explains.
func diagnosis(d model.Diagnosis) (lines []string) {
	for _, e := range d.Explanations {
		var causes []string
		for _, c := range e.Causes {
			causes = append(causes, fmt.Sprintf("%s(%d)", c.ID, len(c.Explains)))
		}
		lines = append(lines, strings.Join(causes, "+"))
	}
	return lines
}

// diagnoses are what happens, and what is found of it.
var diagnoses = map[string]struct {
	happens  func(*world)
	named    []string
	symptoms int
	first    string
	against  string // in the first cause
}{
	"nothing": {func(*world) {}, nil, 0, "", ""},
	"a host": {
		func(w *world) {
			w.says("db1", model.VerdictCrashed)
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 5432, model.Counters{Connections: 1, Failed: 3})
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 1, Failed: 9})
		}, nil, 3, "host:db1(3)", "",
	},
	"a service, its host is well": {
		func(w *world) {
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 1, Failed: 9})
		}, nil, 1, "service:db1/redis:6379(1)", "",
	},
	"two services, and a host that is well": {
		func(w *world) {
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 1, Failed: 9})
			w.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, model.Counters{Connections: 1, Failed: 2})
		}, nil, 2, "service:db1/redis:6379(2)", "",
	},
	"a host, whose clients go on to accept connections": {
		func(w *world) {
			w.says("db1", model.VerdictCrashed)
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 1, Failed: 9})
			w.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, model.Counters{Connections: 7})
		}, nil, 2, "host:db1(2)", "",
	},
	"a service that has ended": {
		func(w *world) {
			w.stop("db1", "/usr/bin/redis", "10.0.0.2", 6379)
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 5, Failed: 9})
			w.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, model.Counters{Connections: 7})
		}, nil, 1, "service:db1/redis:6379(1)", "",
	},
	"four by themselves, of which a switch could explain two": {
		func(w *world) {
			w.says("db1", model.VerdictCrashed)
			w.says("job", model.VerdictCrashed)
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.3", 5432, model.Counters{Connections: 1, Failed: 2})
			w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 25, model.Counters{Failed: 2})
		}, nil, 4, "host:db1(1)+host:job(1)+service:10.9.9.9:25(1)+service:db2/postgres:5432(1)", "",
	},
	"a switch": {
		func(w *world) {
			for _, host := range []string{"web", "db1", "job"} {
				w.says(host, model.VerdictCrashed)
			}
		}, nil, 3, "switch:" + switchA + "(3)", "nothing is reported of it itself",
	},
	"two hosts of a switch whose third is well": {
		func(w *world) {
			w.says("db1", model.VerdictCrashed)
			w.says("job", model.VerdictCrashed)
		}, nil, 2, "host:db1(1)+host:job(1)", "",
	},
	"what is named":                    {func(*world) {}, []string{"service:web/nginx:80"}, 1, "service:web/nginx:80(1)", "nothing is reported of it itself"},
	"shut down in order is no symptom": {func(w *world) { w.says("db1", model.VerdictShutdown) }, nil, 0, "", ""},
}

func TestDiagnose(t *testing.T) {
	for name, c := range diagnoses {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.estate()
			w.ring("web", "db1", "db2", "job")
			before := w.at()
			c.happens(w)
			d, unknown := Diagnose(before, w.Graph, t0, c.named, 5)
			if unknown != "" || len(d.Symptoms) != c.symptoms {
				t.Fatalf("unknown %q, symptoms %+v, want %d", unknown, d.Symptoms, c.symptoms)
			}
			got := diagnosis(d)
			if c.first == "" {
				if len(got) > 0 {
					t.Errorf("explained by %v", got)
				}
				return
			}
			if len(got) == 0 || got[0] != c.first {
				t.Fatalf("explained by %v, want %s first; %+v", got, c.first, d)
			}
			if one, _ := Diagnose(before, w.Graph, t0, c.named, 1); !reflect.DeepEqual(one.Explanations, d.Explanations[:1]) {
				t.Errorf("asked for one: %v, want the first of %v", diagnosis(one), got)
			}
			if against := strings.Join(d.Explanations[0].Causes[0].Against, "; "); c.against != against {
				t.Errorf("against it: %q, want %q", against, c.against)
			}
			if !slices.IsSortedFunc(d.Explanations, func(a, b model.Explanation) int { return int(1e6 * (b.Score - a.Score)) }) {
				t.Errorf("not the likeliest first: %+v", d.Explanations)
			}
		})
	}
}

// What failed before an address moved did not fail since, where it is now.
func TestFailuresBeforeAnAddressMoved(t *testing.T) {
	w := newWorld(t)
	const vip = "10.0.0.100"
	for i, db := range []string{"db1", "db2"} {
		w.link(db, "eth0", fmt.Sprintf("02:00:00:00:00:%02x", i), addresses(fmt.Sprintf("10.0.0.%d/24", i+1)))
		w.listen(db, "/redis", "0.0.0.0", 6379)
	}
	w.link("db1", "eth0", "02:00:00:00:00:00", addresses("10.0.0.1/24", vip+"/32"))
	w.out("web", "/app", "10.0.0.9", vip, 6379, model.Counters{Connections: 3, Failed: 40})
	before := w.at()
	w.link("db1", "eth0", "02:00:00:00:00:00", addresses("10.0.0.1/24"))
	w.link("db2", "eth0", "02:00:00:00:00:01", addresses("10.0.0.2/24", vip+"/32"))
	w.out("web", "/app", "10.0.0.9", vip, 6379, model.Counters{Connections: 9, Failed: 40})
	w.expect("process:web/app -> service:db2/redis:6379 9/40 [client]")
	if d, _ := Diagnose(before, w.Graph, t0, nil, 5); len(d.Symptoms) > 0 {
		t.Errorf("%+v", d.Symptoms)
	}
}

func TestDiagnoseUnknown(t *testing.T) {
	w := newWorld(t)
	if _, unknown := Diagnose(nil, w.Graph, t0, []string{"host:nobody"}, 5); unknown != "host:nobody" {
		t.Errorf("unknown is %q", unknown)
	}
}

// TestDiagnoseRemembersCables: the frames of a dead switch are not heard any more.
func TestDiagnoseRemembersCables(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.ring("web", "db1", "db2", "job")
	before := w.at()
	for i, host := range []string{"web", "db1", "job"} {
		n := model.Neighbor{Interface: "eth0", State: model.NeighborUnheard, FirstSeen: t0, Ended: w.now, Discovery: model.Discovery{
			Protocol: model.LLDP, TTL: 120, Enabled: []string{"bridge"}, Chassis: model.PortID{Kind: "mac", ID: switchA},
			Port: model.PortID{Kind: "ifname", ID: fmt.Sprint("p", []int{0, 1, 3}[i])},
		}}
		w.put(model.Name{Host: host, Package: model.PackageNeighbors, Key: n.Key()}, n)
		w.says(host, model.VerdictUnobservable)
	}
	d, _ := Diagnose(before, w.Graph, t0, nil, 3)
	if got := diagnosis(d); len(got) == 0 || got[0] != "switch:"+switchA+"(3)" {
		t.Errorf("explained by %v", got)
	}
}
