package graph

import (
	"fmt"
	"testing"

	"cassini/model"
)

func TestOverview(t *testing.T) {
	before, now := newWorld(t), newWorld(t)
	before.estate()
	now.estate()
	card := func(i *model.Interface) { i.Kind, i.Carrier, i.CarrierChanges, i.Up = "device", 0, 3, true }
	now.link("job", "eth9", "02:00:00:00:00:99", card)
	now.link("job", "eth8", "02:00:00:00:00:98", card, func(i *model.Interface) { i.CarrierChanges = 1 }) // nothing was ever plugged in
	for i := range 4 {
		now.listen("web", fmt.Sprint("/usr/bin/new", i), "10.0.0.1", uint16(9000+i))
	}
	now.stop("db1", "/usr/bin/redis", "10.0.0.2", 6379)
	now.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 1, Attempts: 6, Failed: 5, Refused: 5})
	now.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, model.Counters{Connections: 9}) // which is no failure
	o := OverviewOf(before.Graph, now.Graph, 3)
	if fmt.Sprint(o.There) != "map[dependency:4 host:4 service:7 switch:2 unknown-host:0]" {
		t.Errorf("there %v", o.There)
	}
	if len(o.Sick) != 2 || o.Sick[0].What != "failed to connect 5 times" || o.Sick[1] != (model.Ailment{Node: "interface:job/eth9", What: "has no carrier"}) {
		t.Errorf("sick %+v", o.Sick)
	}
	if len(o.Came) != 2 || o.Came[0].Kind != model.KindService || o.Came[0].Count != 4 || len(o.Came[0].First) != 3 || o.Came[1].Kind != model.KindInterface {
		t.Errorf("came %+v", o.Came)
	}
	if len(o.Went) != 1 || fmt.Sprint(o.Went[0]) != "{service 1 [db1/redis:6379] [db1/redis:6379]}" || len(o.SinglePoints) != 3 {
		t.Errorf("went %+v, %+v", o.Went, o.SinglePoints)
	}
	if same := OverviewOf(now.Graph, now.Graph, 3); len(same.Came)+len(same.Went) != 0 || len(same.Sick) != 1 {
		t.Errorf("of the same: %+v", same)
	}
}

// A program that is its own client takes itself along, which is no news; with a client of
// another program that serves, it is.
func TestOverviewOfItsOwnClient(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/usr/bin/cassini", "127.0.0.1", 1984)
	w.listen("web", "/usr/bin/cassini", "10.0.0.1", 9464)
	w.out("web", "/usr/bin/cassini", "127.0.0.1", "127.0.0.1", 1984, n(1))
	w.out("web", "/usr/bin/curl", "127.0.0.1", "127.0.0.1", 1984, n(1))
	if points, _ := w.SinglePoints(""); len(points) != 1 || points[0].Services != 1 {
		t.Errorf("single points %+v", points)
	}
	if o := OverviewOf(w.Graph, w.Graph, 3); len(o.SinglePoints) != 0 {
		t.Errorf("must not die: %+v", o.SinglePoints)
	}
	w.listen("web", "/usr/bin/exporter", "10.0.0.1", 9100)
	w.out("web", "/usr/bin/exporter", "127.0.0.1", "127.0.0.1", 1984, n(1))
	if o := OverviewOf(w.Graph, w.Graph, 3); len(o.SinglePoints) != 1 || o.SinglePoints[0].Services != 2 {
		t.Errorf("must not die: %+v", o.SinglePoints)
	}
}

// What differs in its host alone is one line on the screen.
func TestOverviewFolds(t *testing.T) {
	before, now := newWorld(t), newWorld(t)
	before.listen("db", "/usr/bin/postgres", "10.1.0.1", 5432)
	now.listen("db", "/usr/bin/postgres", "10.1.0.1", 5432)
	for i := range 12 {
		host, addr := fmt.Sprint("web-", i), fmt.Sprintf("10.0.0.%d", i+1)
		now.listen(host, "/usr/sbin/nginx", addr, 443)
		now.out(host, "/usr/sbin/nginx", addr, "10.1.0.1", 5432, n(1))
	}
	now.listen("web-0", "/usr/bin/redis", "10.0.0.1", 6379)
	now.out("web-0", "/usr/bin/cron", "10.0.0.1", "10.0.0.1", 6379, n(1))
	now.out("web-0", "/usr/bin/mail", "10.0.0.1", "10.9.0.1", 25, n(1))
	got := make(map[string][]string)
	for _, g := range OverviewOf(before.Graph, now.Graph, 3).Came {
		got[g.Kind] = g.Functions
	}
	equal(t, "services", got[model.KindService], []string{"nginx:443 on 12 hosts", "10.9.0.1:25", "web-0/redis:6379"})
	equal(t, "hosts", got[model.KindHost], []string{"web-0", "web-1", "web-2", "9 others"})
	equal(t, "dependencies", got[model.EdgeDependsOn], []string{"nginx > postgres:5432 on 12 hosts", "web-0/cron > redis:6379", "web-0/mail > 10.9.0.1:25"})
}
