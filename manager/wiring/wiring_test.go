package wiring

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

func heard(host, iface, sw, chassis, port string, edit ...func(*model.Port)) model.Port {
	p := model.Port{Host: host, Interface: iface, State: model.NeighborPresent, PeerID: model.SwitchPortID(chassis, port), Neighbor: &model.Discovery{
		Protocol: model.LLDP, SystemName: sw, Chassis: model.PortID{Kind: "mac", ID: chassis}, Port: model.PortID{Kind: "ifname", ID: port},
		Management: []model.ManagementAddress{{Address: "10.0.0.250"}},
	}}
	for _, f := range edit {
		f(&p)
	}
	return p
}

const chassis = "00:1b:fc:00:00:0a"

func card(host, name string, up bool, carrier int) model.HostInterface {
	i := model.HostInterface{Host: host, ID: model.InterfaceID(host, name, "")}
	i.Name, i.Up, i.Carrier = name, up, carrier
	return i
}

func lines(c model.Cabling) string {
	var b strings.Builder
	for _, x := range c.Cables {
		fmt.Fprintf(&b, "%s %s %s", x.Host, x.Interface, x.State)
		if x.Actual != nil {
			fmt.Fprintf(&b, " in %s %s", x.Actual.Switch, x.Actual.Port)
		}
		if x.Note != "" {
			b.WriteString(": " + x.Note)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	plan, err := ReadCSV([]byte(`host,interface,switch,port,label
web-1,eth0,core-1,Gi1/0/1,red
web-2,eth0,core-1,Gi1/0/2,red
web-2,eth1,core-2,7,
# a comment
web-3,eth0,core-1,Gi1/0/3,
web-3,eth1,core-1,Gi1/0/4,
web-3,eth2,core-1,Gi1/0/5,
web-3,eth9,core-1,Gi1/0/6,
web-4,eth0,core-1,Gi1/0/7,
`))
	if err != nil {
		t.Fatal(err)
	}
	a := Actual{
		Ports: []model.Port{
			heard("web-1", "eth0", "core-1.example.org", chassis, "GigabitEthernet1/0/2"),
			heard("web-2", "eth0", "core-1.example.org", chassis, "GigabitEthernet1/0/1"),
			heard("web-2", "eth1", "core-9", "00:1b:fc:00:00:0c", "7"),
			heard("web-5", "eth0", "core-1.example.org", chassis, "GigabitEthernet1/0/7"),
			heard("web-6", "eth0", "web-7", "02:00:00:00:00:07", "02:00:00:00:00:07", func(p *model.Port) { p.PeerID = "interface:web-7/eth3" }),
			heard("web-6", "eth1", "core-1", chassis, "x", func(p *model.Port) { p.State = model.NeighborSilent }),
		},
		Interfaces: []model.HostInterface{card("web-3", "eth0", true, 1), card("web-3", "eth1", true, 0), card("web-3", "eth2", false, 0)},
		Hosts:      []string{"web-1", "web-2", "web-3", "web-5", "web-6"},
	}
	c := Compare(plan, a, "")
	const want = `web-1 eth0 wrong-port in core-1.example.org GigabitEthernet1/0/2: core-1.example.org GigabitEthernet1/0/2 is planned for web-2 eth0; web-2 eth0 is in core-1 Gi1/0/1
web-2 eth0 wrong-port in core-1.example.org GigabitEthernet1/0/1: core-1.example.org GigabitEthernet1/0/1 is planned for web-1 eth0; web-1 eth0 is in core-1 Gi1/0/2
web-2 eth1 wrong-switch in core-9 7
web-3 eth0 missing: the link is up and says nothing of itself: LLDP or CDP may be off at the other end
web-3 eth1 missing: the interface has no carrier
web-3 eth2 missing: the interface is not set up
web-3 eth9 missing: web-3 has no interface eth9
web-4 eth0 missing: no agent reports from web-4; web-5 eth0 is in core-1 Gi1/0/7
web-5 eth0 unplanned in core-1.example.org GigabitEthernet1/0/7: core-1.example.org GigabitEthernet1/0/7 is planned for web-4 eth0
web-6 eth0 unplanned in web-7 eth3
`
	if got := lines(c); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if fmt.Sprint(c.Counts) != "map[missing:5 right:0 unplanned:2 wrong-port:2 wrong-switch:1]" {
		t.Errorf("counts %v", c.Counts)
	}
	if c.Cables[0].Line != 2 || c.Cables[3].Line != 6 {
		t.Errorf("lines %d and %d of the plan", c.Cables[0].Line, c.Cables[3].Line)
	}
	if got := lines(Compare(plan, a, "web-6")); got != "web-6 eth0 unplanned in web-7 eth3\n" {
		t.Errorf("of one host: %s", got)
	}
	plan.Partial = true
	if got := Compare(plan, a, "").Counts[model.CableUnplanned]; got != 0 {
		t.Errorf("a partial plan has %d cables that it does not know", got)
	}
}

// TestExportIsRight wants what is exported to be right by itself.
func TestExportIsRight(t *testing.T) {
	a := Actual{Ports: []model.Port{
		heard("a", "eth0", "core-1", chassis, "Gi1/0/1"),
		heard("a", "eth1", "", chassis, "02:00:00:00:00:99", func(p *model.Port) { p.Neighbor.Port.Kind, p.Neighbor.PortDescr = "mac", "port 7, left" }),
		heard("a", "eth1", "hub", chassis, "8"), // an interface that hears two
		heard("a", "eth0@blue", "core, 2", "x", "p\"1"),
		heard("b", "eth0", "c", "02:00:00:00:00:07", "eth3", func(p *model.Port) { p.PeerID, p.Netns = "interface:c/eth3", "red" }),
	}}
	for _, separator := range []string{",", ";"} {
		text := WriteCSV(Export(a.Ports, ""))
		if separator == ";" {
			text = []byte(strings.NewReplacer(",", ";", `"`, `"`).Replace(strings.ReplaceAll(string(text), ", ", "\x01")))
			text = []byte(strings.ReplaceAll(string(text), "\x01", ", "))
		}
		plan, err := ReadCSV(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if c := Compare(plan, a, ""); c.Counts[model.CableRight] != 4 || len(c.Cables) != 4 {
			t.Errorf("%s\n%s%v", text, lines(c), c.Counts)
		}
	}
}

func TestNames(t *testing.T) {
	p := heard("a", "eth0", "core-1.example.org", chassis, "GigabitEthernet1/0/1", func(p *model.Port) { p.Neighbor.PortDescr = "Uplink of a" })
	for name, want := range map[string]bool{
		"core-1": true, "CORE-1.example.org": true, "core-1.elsewhere.org": false, "core-10": false, chassis: true, "001b.fc00.000a": true,
		"00-1B-FC-00-00-0A": true, "00-1B-FC-00-00-0B": false, "switch:" + chassis: true, "10.0.0.250": true, "10.0.0.25": false, "10": false,
	} {
		if sameSwitch(name, p) != want {
			t.Errorf("switch %q: %v", name, !want)
		}
	}
	for name, want := range map[string]bool{
		"Gi1/0/1": true, "gi1/0/1": true, "GigabitEthernet 1/0/1": true, "G1/0/1": false, "1/0/1": false, "Gi1/0/11": false, "Gi1/0": false, "Te1/0/1": false, "uplink of a": true,
	} {
		if samePort(name, p) != want {
			t.Errorf("port %q: %v", name, !want)
		}
		if want && name != "uplink of a" && farKey("core-1", name) != farKey("core-1.example.org", "GigabitEthernet1/0/1") {
			t.Errorf("port %q has another key", name)
		}
	}
}

const json0 = `{"lldp":[{"interface":[
 {"name":"eth0","via":"LLDP","rid":"1","age":"0 day, 00:00:12","chassis":[{"id":[{"type":"mac","value":"00:1b:fc:00:00:0a"}],"name":[{"value":"core-1"}],"mgmt-ip":[{"value":"10.0.0.250"}]}],"port":[{"id":[{"type":"ifname","value":"p1"}],"descr":[{"value":"to web-1"}],"ttl":[{"value":"120"}]}]},
 {"name":"eth0","via":"CDPv2","chassis":[{"id":[{"type":"local","value":"core-1"}],"name":[{"value":"core-1"}]}],"port":[{"id":[{"type":"ifname","value":"p1"}]}]},
 {"name":"eth1","via":"LLDP","chassis":[{"id":[{"type":"mac","value":"00:1b:fc:00:00:0b"}]}],"port":[{"id":[{"type":"mac","value":"00:1b:fc:00:00:0c"}],"descr":[{"value":"p2"}]}]}
]}]}`

func TestLLDPCLI(t *testing.T) {
	p, err := ReadLLDPCLI([]byte(json0), "web-1")
	want := []model.PlannedCable{
		{Host: "web-1", Interface: "eth0", CableEnd: model.CableEnd{Switch: "core-1", Port: "p1"}},
		{Host: "web-1", Interface: "eth1", CableEnd: model.CableEnd{Switch: "00:1b:fc:00:00:0b", Port: "p2"}},
	}
	if err != nil || fmt.Sprint(p.Cables) != fmt.Sprint(want) || !p.Partial {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err := ReadLLDPCLI([]byte(`{"lldp":[{}]}`), "x"); err != nil || len(p.Cables) != 0 {
		t.Errorf("no neighbors: %+v, %v", p, err)
	}
}

func TestBadPlans(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "it is empty; its first line names the columns: host,interface,switch,port",
		"host,interface,port\n":             `must name the columns host, interface, switch, port, and has "host, interface, port"`,
		"host,interface,switch,port\na,b,c": "line 2: port is missing",
		"host,interface,switch,port\na,b,c,d\n\n# x\na,b,e,f":            "line 5: a b stands on line 2 already",
		"host,interface,switch,port\na,\"b,c,d":                          "parse error on line 2",
		"host,interface,switch,port\n\xff,b,c,d":                         "not UTF-8",
		"host,interface,switch,port\na,b,c," + strings.Repeat("x", 2000): "line 2: port has more than 1024 bytes",
	} {
		if _, err := ReadCSV([]byte(text)); !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{"lldp":{"interface":{"eth0":{}}}}`: "-f json is another format",
		`{}`:                                 `it has no "lldp"`,
		`[`:                                  "not what lldpcli writes",
		`{"lldp":[{"interface":[{"name":"eth0","via":"LLDP","chassis":[{}],"port":[{}]}]}]}`: `interface "eth0": its name, its neighbor's or the port's is missing`,
	} {
		if _, err := ReadLLDPCLI([]byte(text), "x"); !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := ReadLLDPCLI([]byte(json0), ""); !errors.Is(err, ErrPlan) {
		t.Errorf("without a host: %v", err)
	}
}

// FuzzCSV wants a plan that is read to be written and read the same.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("host;interface;switch;port\na;b;c;\"d;\"\n#x\n"))
	f.Add([]byte("port\tswitch\thost\tinterface\n1\tcore\ta\teth0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadCSV(text)
		if err != nil {
			if !errors.Is(err, ErrPlan) {
				t.Fatal(err)
			}
			return
		}
		again, err := ReadCSV(WriteCSV(p.Cables))
		for i := range p.Cables {
			p.Cables[i].Line = 0
		}
		for i := range again.Cables {
			again.Cables[i].Line = 0
		}
		if err != nil || !slices.Equal(again.Cables, p.Cables) {
			t.Fatalf("%q: %v\n%+v\n%+v", text, err, p.Cables, again.Cables)
		}
		Compare(p, Actual{Ports: []model.Port{heard("a", "b", "c", chassis, "d")}}, "")
	})
}

func FuzzLLDPCLI(f *testing.F) {
	f.Add([]byte(json0))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadLLDPCLI(text, "web-1")
		if err != nil && !errors.Is(err, ErrPlan) {
			t.Fatal(err)
		}
		if _, err := json.Marshal(Compare(p, Actual{}, "")); err != nil {
			t.Fatal(err)
		}
	})
}
