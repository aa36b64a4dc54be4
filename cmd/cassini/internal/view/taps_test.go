package view

import (
	"net/netip"
	"testing"

	"cassini/model"
)

func TestHears(t *testing.T) {
	for want, s := range map[string]model.Service{
		"0.0.0.0:22 on blue red": {Proto: "tcp", Addrs: []netip.Addr{netip.IPv4Unspecified()}, Port: 22, Tap: model.Tap{Interfaces: []string{"blue", "red"}}},
		"packet:lldp":            {Proto: model.ProtoPacket, Tap: model.Tap{Hears: "lldp"}},
		"packet:all@blue on eth0 eth1 +1 promiscuous": {
			Proto: model.ProtoPacket, NetnsName: "blue", Tap: model.Tap{Hears: model.HearsAll, Interfaces: []string{"eth0", "eth1", "eth2"}, Promiscuous: true},
		},
		"raw:ospf on 10.0.0.1": {Proto: model.ProtoRaw, Tap: model.Tap{Hears: "ospf", Bound: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}},
	} {
		if got := ListensOn(s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWorkers(t *testing.T) {
	of := func(n int) (list []model.Worker) {
		for i := range n {
			list = append(list, model.Worker{PID: 100 + i, Accepted: uint64(9 - i)})
		}
		return list
	}
	for want, a := range map[string]model.Accepts{
		"":                      {AcceptsChargedTo: model.AcceptsToListener},
		"100:9 101:8":           {Workers: of(2)},
		"100:9 101:8 102:7 +13": {Workers: of(6), WorkersMore: 10},
		"+2":                    {WorkersMore: 2},
	} {
		if got := Workers(a, 3); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
