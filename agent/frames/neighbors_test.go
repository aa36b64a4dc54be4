package frames

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	eth0 = port{name: "eth0"}
)

func says(chassis, port string, ttl uint16) model.Discovery {
	return model.Discovery{
		Protocol: model.LLDP, TTL: ttl,
		Chassis: model.PortID{Kind: "mac", ID: chassis}, Port: model.PortID{Kind: "ifname", ID: port},
	}
}

// told is "KEY STATE" of each change.
func told(list []model.Neighbor) (lines []string) {
	for _, n := range list {
		lines = append(lines, n.Key()+" "+n.State)
	}
	return lines
}

func TestNeighbors(t *testing.T) {
	table := newNeighbors()
	now := noon
	expect := func(what string, got []model.Neighbor, want ...string) {
		t.Helper()
		if fmt.Sprint(told(got)) != fmt.Sprint(want) {
			t.Errorf("%s: told %q, want %q", what, told(got), want)
		}
	}
	expect("first", table.hear(eth0, says("sw1", "1", 120), now), "eth0/lldp/sw1/1 present")
	now = now.Add(30 * time.Second)
	expect("the same again", table.hear(eth0, says("sw1", "1", 120), now))
	named := says("sw1", "1", 120)
	named.SystemName = "core"
	changed := table.hear(eth0, named, now)
	expect("renamed", changed, "eth0/lldp/sw1/1 present")
	if n := changed[0]; !n.FirstSeen.Equal(noon) || !n.Changed.Equal(now) {
		t.Errorf("first seen %v and changed %v, want %v and %v", n.FirstSeen, n.Changed, noon, now)
	}
	if at, ok := table.next(); !ok || !at.Equal(now.Add(120*time.Second)) {
		t.Errorf("next at %v, %v", at, ok)
	}
	expect("not yet silent", table.expire(now.Add(119*time.Second)))
	silent := table.expire(now.Add(120 * time.Second))
	expect("silent", silent, "eth0/lldp/sw1/1 silent")
	if !silent[0].Ended.Equal(now.Add(120 * time.Second)) {
		t.Errorf("ended at %v", silent[0].Ended)
	}
	if _, ok := table.next(); ok {
		t.Error("somebody is waited for")
	}
	expect("back", table.hear(eth0, says("sw1", "1", 120), now), "eth0/lldp/sw1/1 present")
	expect("another port of it", table.hear(eth0, says("sw1", "2", 120), now), "eth0/lldp/sw1/1 moved", "eth0/lldp/sw1/2 present")
	cdp := says("sw1", "2", 120)
	cdp.Protocol = model.CDP
	expect("the same by another protocol", table.hear(eth0, cdp, now), "eth0/cdp/sw1/2 present")
	expect("goodbye", table.hear(eth0, says("sw1", "2", 0), now), "eth0/lldp/sw1/2 shutdown")
	expect("goodbye of a stranger", table.hear(eth0, says("sw9", "2", 0), now))
	expect("unplugged", table.unplug(eth0, now), "eth0/cdp/sw1/2 unheard")
	expect("unplugged again", table.unplug(eth0, now))
}

// A flood of false neighbors takes no place of those that were there first, and
// nothing of other interfaces.
func TestNeighborsAreBounded(t *testing.T) {
	table := newNeighbors()
	table.hear(eth0, says("true", "1", 120), noon)
	for i := range 1000 {
		table.hear(eth0, says(fmt.Sprintf("false-%d", i), "1", 120), noon)
	}
	if n := len(table.ports[eth0]); n != maxNeighbors || table.ports[eth0]["eth0/lldp/true/1"] == nil {
		t.Errorf("%d neighbors", n)
	}
	if table.refused != 1000-maxNeighbors+1 {
		t.Errorf("%d refused", table.refused)
	}
	if got := table.hear(port{name: "eth1"}, says("other", "1", 120), noon); len(got) != 1 {
		t.Errorf("on another interface: %q", told(got))
	}
}

func TestNeighborsOfAnEarlierRun(t *testing.T) {
	table := newNeighbors()
	was := model.Neighbor{Interface: "eth0", Discovery: says("sw1", "1", 120), State: model.NeighborPresent, FirstSeen: noon.Add(-time.Hour), Changed: noon.Add(-time.Minute)}
	if !table.adopt(was, noon) || table.adopt(was, noon) {
		t.Error("not adopted once")
	}
	if got := table.hear(eth0, says("sw1", "1", 120), noon.Add(time.Second)); len(got) != 0 {
		t.Errorf("told %q although it is as remembered", told(got))
	}
	if got := table.expire(noon.Add(121 * time.Second)); len(got) != 1 || !got[0].FirstSeen.Equal(was.FirstSeen) {
		t.Errorf("silent: %+v", got)
	}
}
