package netbox

import (
	"net/netip"
	"reflect"
	"testing"

	"cassini/model"
)

func TestCompare(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, s := range texts {
			list = append(list, netip.MustParsePrefix(s))
		}
		return list
	}
	eth0 := func(change func(*model.Interface)) []model.HostInterface {
		i := model.Interface{Name: "eth0", Kind: "device", Address: "02:00:00:00:00:01", MTU: 1500, Up: true, State: model.InterfacePresent,
			Addresses: map[string]model.IPConfig{"10.0.0.5/24": {Scope: "global"}, "fe80::1/64": {Scope: "link"}}}
		if change != nil {
			change(&i)
		}
		return []model.HostInterface{{Host: "web-1", Interface: i}}
	}
	web := func(change func(*Interface)) []*Machine {
		i := &Interface{MAC: "02:00:00:00:00:01", MTU: 1500, Enabled: true, Addresses: prefixes("10.0.0.5/24")}
		if change != nil {
			change(i)
		}
		return []*Machine{{Name: "WEB-1.example.com", Status: "active", Interfaces: map[string]*Interface{"eth0": i}}}
	}
	for name, tt := range map[string]struct {
		netbox []*Machine
		seen   []model.HostInterface
		want   []Difference
	}{
		"nothing": {web(nil), eth0(nil), nil},
		"MAC in other letters, MTU and MAC not recorded": {
			web(func(i *Interface) { i.MAC, i.MTU = "", 0 }), eth0(nil), nil,
		},
		"MAC":          {web(func(i *Interface) { i.MAC = "02:00:00:00:00:AA" }), eth0(nil), []Difference{{KindMAC, "web-1", "eth0", "02:00:00:00:00:aa", "02:00:00:00:00:01", ""}}},
		"bonded":       {web(nil), eth0(func(i *model.Interface) { i.PermanentAddress, i.Address = i.Address, "02:00:00:00:00:99" }), nil},
		"MTU":          {web(func(i *Interface) { i.MTU = 9000 }), eth0(nil), []Difference{{KindMTU, "web-1", "eth0", "9000", "1500", ""}}},
		"state":        {web(nil), eth0(func(i *model.Interface) { i.Up = false }), []Difference{{KindState, "web-1", "eth0", "enabled", "disabled", ""}}},
		"other prefix": {web(func(i *Interface) { i.Addresses = prefixes("10.0.0.5/16") }), eth0(nil), []Difference{{KindAddress, "web-1", "eth0", "10.0.0.5/16", "10.0.0.5/24", ""}}},
		"more addresses": {web(func(i *Interface) { i.Addresses = nil }), eth0(nil), []Difference{
			{KindAddress, "web-1", "eth0", "", "10.0.0.5/24", ""},
		}},
		"less addresses": {web(nil), eth0(func(i *model.Interface) { i.Addresses = nil }), []Difference{{KindAddress, "web-1", "eth0", "10.0.0.5/24", "", "the interface does not have it"}}},
		"by DHCP":        {web(func(i *Interface) { i.Addresses = nil }), eth0(func(i *model.Interface) { i.Addresses["10.0.0.5/24"] = model.IPConfig{Scope: "global", Dynamic: true} }), nil},
		"alternative name": {
			[]*Machine{{Name: "web-1", Status: "active", Interfaces: map[string]*Interface{"enp1s0": {Enabled: true, Addresses: prefixes("10.0.0.5/24")}}}},
			eth0(func(i *model.Interface) { i.AltNames = []string{"enp1s0"} }), nil,
		},
		"other interfaces": {
			[]*Machine{{Name: "web-1", Status: "active", Interfaces: map[string]*Interface{"eth7": {}}}}, eth0(nil),
			[]Difference{
				{KindInterface, "web-1", "eth0", "", "device 02:00:00:00:00:01", ""},
				{KindInterface, "web-1", "eth7", "an interface", "", "the host has none of that name"},
			},
		},
		"veth, gone and in a namespace": {
			[]*Machine{{Name: "web-1", Status: "active", Interfaces: map[string]*Interface{}}},
			[]model.HostInterface{
				{Host: "web-1", Interface: model.Interface{Name: "veth1", Kind: "veth", State: model.InterfacePresent}},
				{Host: "web-1", Interface: model.Interface{Name: "eth1", Kind: "device", State: model.InterfaceGone}},
				{Host: "web-1", Interface: model.Interface{Name: "eth2", Kind: "device", Netns: "blue", State: model.InterfacePresent}},
			}, nil,
		},
		"unknown":        {nil, eth0(nil), []Difference{{KindMachine, "web-1", "", "", "a host with an agent", "NetBox has no device and no virtual machine of that name"}}},
		"only planned":   {[]*Machine{{Name: "web-1", Virtual: true, Status: "planned", Interfaces: map[string]*Interface{}}}, nil, []Difference{{KindMachine, "web-1", "", "virtual machine, planned", "a host with an agent", ""}}},
		"no agent":       {append(web(nil), &Machine{Name: "db-1", Status: "active"}, &Machine{Name: "db-2", Status: "offline"}), eth0(nil), []Difference{{KindMachine, "db-1", "", "device", "", "no agent reports from it"}}},
		"a switch":       {append(web(nil), &Machine{Name: "sw-1", Status: "active"}), eth0(nil), nil},
		"not asked for":  {append(web(nil), &Machine{Name: "app-1", Status: "active"}), eth0(nil), nil},
		"held elsewhere": {web(func(i *Interface) { i.Addresses = nil }), eth0(func(i *model.Interface) { i.Addresses = map[string]model.IPConfig{"10.0.0.99/24": {Scope: "global"}} }), []Difference{{KindAddress, "web-1", "eth0", "", "10.0.0.99/24", "NetBox has it at old-7 eth0"}}},
	} {
		t.Run(name, func(t *testing.T) {
			v := &Inventory{Machines: tt.netbox, holders: map[netip.Addr]string{netip.MustParseAddr("10.0.0.99"): "old-7 eth0"}}
			got := Compare(v, []string{"web-1"}, tt.seen, []string{"sw-1.example.com", "app-1"}, "")
			if len(got)+len(tt.want) > 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestCompareOneHost(t *testing.T) {
	v := &Inventory{Machines: []*Machine{{Name: "db-1", Status: "active"}}}
	if got := Compare(v, []string{"web-1"}, nil, nil, "web-1"); len(got) != 1 || got[0].Host != "web-1" {
		t.Errorf("got %+v", got)
	}
}
