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
	if len(o.Went) != 1 || fmt.Sprint(o.Went[0]) != "{service 1 [db1/redis:6379]}" || len(o.SinglePoints) != 3 {
		t.Errorf("went %+v, %+v", o.Went, o.SinglePoints)
	}
	if same := OverviewOf(now.Graph, now.Graph, 3); len(same.Came)+len(same.Went) != 0 || len(same.Sick) != 1 {
		t.Errorf("of the same: %+v", same)
	}
}
