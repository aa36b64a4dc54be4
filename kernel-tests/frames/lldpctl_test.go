package frames

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/manager/graph"
	"cassini/model"
)

// What lldpd tells of a neighbor, as far as it is compared (lldpcli -f json0).
type (
	value   struct{ Value string }
	typed   struct{ Type, Value string }
	switch1 struct {
		Type      string
		Enabled   bool
		Available bool
	}
	theirNeighbor struct {
		Via     string
		Chassis []struct {
			ID          []typed
			Name, Descr []value
			MgmtIP      []value `json:"mgmt-ip"`
			Capability  []switch1
		}
		Port []struct {
			ID              []typed
			Descr, TTL      []value
			AutoNegotiation []struct{ Supported, Enabled bool } `json:"auto-negotiation"`
		}
		MED []struct {
			DeviceType []value `json:"device-type"`
			Capability []switch1
			Policy     []struct {
				AppType   string
				PCP, DSCP []value
			}
			Inventory []struct{ Software []value }
		} `json:"lldp-med"`
		Unknown []struct {
			TLV []struct{ OUI, Subtype, Value string } `json:"unknown-tlv"`
		} `json:"unknown-tlvs"`
	}
)

// The names that differ.
var (
	capabilities    = map[string]string{"Bridge": "bridge", "Router": "router", "Wlan": "wlan-access-point", "Station": "station-only"}
	medCapabilities = map[string]string{"Capabilities": "capabilities", "Policy": "network-policy", "Location": "location",
		"MDI/PSE": "power-pse", "MDI/PD": "power-pd", "Inventory": "inventory"}
	medDevices = map[string]string{"Network Connectivity Device": "network"}
	voice      = map[string]string{"Voice": "voice"}
)

// lines writes their telling as "field=value" in our words.
func (n theirNeighbor) lines() (lines []string) {
	add := func(field string, v any) { lines = append(lines, fmt.Sprintf("%s=%v", field, v)) }
	c, p := n.Chassis[0], n.Port[0]
	add("protocol", strings.ToLower(n.Via))
	add("chassis", c.ID[0].Type+" "+c.ID[0].Value)
	add("name", c.Name[0].Value)
	add("description", c.Descr[0].Value)
	for _, ip := range c.MgmtIP {
		add("management", ip.Value)
	}
	for _, capability := range c.Capability {
		add("capability", capabilities[capability.Type])
		if capability.Enabled {
			add("enabled", capabilities[capability.Type])
		}
	}
	add("port", p.ID[0].Type+" "+p.ID[0].Value)
	add("port description", p.Descr[0].Value)
	add("ttl", p.TTL[0].Value)
	add("autonegotiation", p.AutoNegotiation[0])
	add("MED device", medDevices[n.MED[0].DeviceType[0].Value])
	for _, capability := range n.MED[0].Capability {
		if capability.Available {
			add("MED capability", medCapabilities[capability.Type])
		}
	}
	for _, policy := range n.MED[0].Policy {
		add("MED policy", fmt.Sprint(voice[policy.AppType], " ", policy.PCP[0].Value, " ", policy.DSCP[0].Value))
	}
	add("MED software", n.MED[0].Inventory[0].Software[0].Value)
	for _, tlv := range n.Unknown[0].TLV {
		add("unknown", fmt.Sprint(plainHex(tlv.OUI), " ", tlv.Subtype, " ", plainHex(tlv.Value)))
	}
	slices.Sort(lines)
	return lines
}

func plainHex(text string) string {
	return strings.ToLower(strings.NewReplacer(",", "", "-", "", ":", "").Replace(text))
}

// ourLines writes ours likewise.
func ourLines(d model.Discovery) (lines []string) {
	add := func(field string, v any) { lines = append(lines, fmt.Sprintf("%s=%v", field, v)) }
	add("protocol", d.Protocol)
	add("chassis", d.Chassis.Kind+" "+d.Chassis.ID)
	add("name", d.SystemName)
	add("description", d.SystemDescr)
	for _, m := range d.Management {
		add("management", m.Address)
	}
	for _, c := range d.Capabilities {
		add("capability", c)
	}
	for _, c := range d.Enabled {
		add("enabled", c)
	}
	add("port", d.Port.Kind+" "+d.Port.ID)
	add("port description", d.PortDescr)
	add("ttl", d.TTL)
	add("autonegotiation", struct{ Supported, Enabled bool }{d.MACPHY.Supported, d.MACPHY.Enabled})
	add("MED device", d.MED.DeviceClass)
	for _, c := range d.MED.Capabilities {
		add("MED capability", c)
	}
	for _, p := range d.MED.Policies {
		add("MED policy", fmt.Sprint(p.Application, " ", p.Priority, " ", p.DSCP))
	}
	add("MED software", d.MED.Inventory.Software)
	for _, u := range d.Unknown {
		add("unknown", fmt.Sprint(plainHex(u.OUI), " ", strconv.Itoa(int(u.Subtype)), " ", u.Value))
	}
	slices.Sort(lines)
	return lines
}

// listener runs an lldpd that sends nothing; the path is where it answers.
func listener(t *testing.T, ns string, flags ...string) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lldpd") // open to the user that lldpd becomes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "listens")
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns, "lldpd", "-d", "-r", "-u", path}, flags...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return path
}

// tell asks a listener for its neighbors.
func tell(path string) []theirNeighbor {
	out, err := exec.Command("lldpcli", "-u", path, "-f", "json0", "show", "neighbors", "details").Output()
	var answer struct {
		LLDP []struct{ Interface []theirNeighbor }
	}
	if err != nil || json.Unmarshal(out, &answer) != nil || len(answer.LLDP) != 1 {
		return nil
	}
	return answer.LLDP[0].Interface
}

// The older protocols, as far as lldpd reads them.
func TestAgainstLLDPCTLByOtherProtocols(t *testing.T) {
	for via, flags := range map[string][]string{"CDPv1": {"-cc"}, "CDPv2": {"-ccccc"}, "FDP": {"-ff"}} {
		t.Run(via, func(t *testing.T) {
			sw, host := machine(t, "sw"), machine(t, "host")
			cable(t, host, "eth0", sw, "p1")
			e := newEstate(t, host)
			path := listener(t, host, flags...)
			speak(t, sw, "core", append(flags, "-ll", "-m", "10.1.1.1")...)
			var theirs, ours string
			eventually(t, "both tell of the neighbor", func() bool {
				list, ports := tell(path), e.Ports(graph.PortFilter{})
				if len(list) != 1 || len(ports) != 1 {
					return false
				}
				n, d := list[0], ports[0].Neighbor
				theirs = fmt.Sprint(n.Via, n.Chassis[0].Name, n.Chassis[0].MgmtIP, n.Chassis[0].Descr, n.Port[0].ID, n.Port[0].Descr, n.Port[0].TTL)
				protocol := strings.ToUpper(d.Protocol)
				if d.Protocol == model.CDP {
					protocol += fmt.Sprint("v", d.Version)
				}
				var managed []value
				for _, m := range d.Management {
					managed = append(managed, value{m.Address})
				}
				if managed == nil {
					for _, a := range d.Addresses {
						managed = append(managed, value{a})
					}
				}
				ours = fmt.Sprint(protocol, []value{{d.Chassis.ID}}, managed, []value{{d.Platform + " running on\n" + d.SystemDescr}},
					[]typed{{"ifname", d.Port.ID}}, []value{{d.Port.ID}}, []value{{fmt.Sprint(d.TTL)}})
				return true
			})
			if theirs != ours {
				t.Errorf("lldpd tells\n%s\nand Cassini\n%s", theirs, ours)
			}
		})
	}
}

// The same frames, as lldpd and as Cassini read them on the same machine.
func TestAgainstLLDPCTL(t *testing.T) {
	sw, host := machine(t, "sw"), machine(t, "host")
	cable(t, host, "eth0", sw, "p1")
	e := newEstate(t, host)
	more := "configure med policy application voice vlan 500 priority voice dscp 46\n" +
		"configure lldp custom-tlv oui 33,44,55 subtype 44 oui-info 45,46,47\n"
	speakWith(t, sw, "core", more, "-M", "4", "-m", "10.1.1.1")

	path := listener(t, host)
	var theirs, ours []string
	eventually(t, "both tell of the neighbor, with all that it says", func() bool {
		list, ports := tell(path), e.Ports(graph.PortFilter{})
		if len(list) != 1 || len(ports) != 1 {
			return false
		}
		n, d := list[0], ports[0].Neighbor
		if len(n.MED) != 1 || len(n.Unknown) != 1 || d.MED == nil || d.MACPHY == nil || d.MED.Inventory == nil {
			return false
		}
		theirs, ours = n.lines(), ourLines(*d)
		return true
	})
	t.Logf("%d fields", len(theirs))
	if !slices.Equal(theirs, ours) {
		t.Errorf("lldpd tells\n%s\nand Cassini\n%s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
	}
}
