package wiring

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"cassini/model"
)

// lldpcli is what `lldpcli -f json0 show neighbors` writes, as far as it matters here:
// json0 has lists everywhere, also of one (lldpd's manual, lldpcli(8)).
type lldpcli struct {
	LLDP []struct {
		Interface []struct {
			Name    string `json:"name"`
			Via     string `json:"via"`
			Chassis []struct {
				ID   []typed `json:"id"`
				Name []typed `json:"name"`
			} `json:"chassis"`
			Port []struct {
				ID    []typed `json:"id"`
				Descr []typed `json:"descr"`
			} `json:"port"`
		} `json:"interface"`
	} `json:"lldp"`
}

// typed is a value with its type.
type typed struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func value(list []typed) string {
	if len(list) == 0 {
		return ""
	}
	return strings.TrimSpace(list[0].Value)
}

// ReadLLDPCLI reads what lldpcli wrote on a host, which its output does not name. LLDP
// goes before other protocols on an interface. The plan is partial. Errors wrap ErrPlan.
func ReadLLDPCLI(text []byte, host string) (Plan, error) {
	if len(text) > MaxPlan {
		return Plan{}, fmt.Errorf("%w: it has more than %d MB", ErrPlan, MaxPlan>>20)
	}
	if host == "" {
		return Plan{}, fmt.Errorf("%w: lldpcli does not say on which host it ran; name the host", ErrPlan)
	}
	var out lldpcli
	if err := json.Unmarshal(text, &out); err != nil {
		return Plan{}, fmt.Errorf("%w: it is not what lldpcli writes with -f json0 (-f json is another format): %w", ErrPlan, err)
	}
	if out.LLDP == nil {
		return Plan{}, fmt.Errorf(`%w: it has no "lldp"; write it with: lldpcli -f json0 show neighbors`, ErrPlan)
	}
	p := Plan{Partial: true}
	proper := make(map[string]bool) // interfaces with a neighbor by LLDP
	for _, l := range out.LLDP {
		for _, i := range l.Interface {
			proper[i.Name] = proper[i.Name] || i.Via == "LLDP"
		}
	}
	seen := make(map[model.PlannedCable]bool)
	for _, l := range out.LLDP {
		for _, i := range l.Interface {
			if len(i.Chassis) == 0 || len(i.Port) == 0 || i.Via != "LLDP" && proper[i.Name] {
				continue
			}
			c := model.PlannedCable{Host: host, Interface: i.Name}
			if c.Switch = value(i.Chassis[0].Name); c.Switch == "" {
				c.Switch = value(i.Chassis[0].ID)
			}
			c.Port = portName(i.Port[0].ID, i.Port[0].Descr)
			for _, field := range []string{c.Interface, c.Switch, c.Port} {
				if field == "" || len(field) > maxName || !utf8.ValidString(field) {
					return Plan{}, fmt.Errorf("%w: interface %q: its name, its neighbor's or the port's is missing or has more than %d bytes", ErrPlan, i.Name, maxName)
				}
			}
			if !seen[c] {
				seen[c] = true
				p.Cables = append(p.Cables, c)
			}
			if len(p.Cables) > MaxCables {
				return Plan{}, fmt.Errorf("%w: it has more than %d cables", ErrPlan, MaxCables)
			}
		}
	}
	return p, nil
}

// portName is the port's identifier; where that is a hardware address, people know the
// port by its description.
func portName(id, descr []typed) string {
	if len(id) > 0 && id[0].Type == "mac" && value(descr) != "" {
		return value(descr)
	}
	return value(id)
}
