package links

import (
	"testing"

	"cassini/agent/netns"
	"cassini/model"
)

func TestQueue(t *testing.T) {
	q := NewQueue()
	q.Put(netns.Namespace{}, model.Interface{Name: "eth0", MTU: 1500})
	q.Put(netns.Namespace{Name: "blue"}, model.Interface{Name: "eth0", Netns: "blue", MTU: 1400})
	q.Put(netns.Namespace{}, model.Interface{Name: "eth0", MTU: 9000})
	if i, ok := q.Latest("", "eth0"); !ok || i.MTU != 9000 {
		t.Errorf("latest %+v, %v", i, ok)
	}
	<-q.Ready()
	if list := q.Take(); len(list) != 3 || list[0].MTU != 1500 || list[1].NS.Name != "blue" {
		t.Errorf("took %+v", list)
	}
	if _, ok := q.Latest("", "eth0"); ok || len(q.Take()) != 0 {
		t.Error("what was taken is still there")
	}
	select {
	case <-q.Ready():
		t.Error("ready twice")
	default:
	}
	q.Wake()
	<-q.Ready()
}

func TestEthernet(t *testing.T) {
	for address, want := range map[string]bool{"02:00:00:00:00:01": true, "00:00:00:00:00:00": false, "": false, "10.0.0.1": false,
		"00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10:00:00:00:01": false} {
		if got := Ethernet(model.Interface{Address: address}); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
