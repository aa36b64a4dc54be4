package pcap_test

import (
	"strconv"

	"cassini/agent/frames/wire"
	"cassini/model"
)

func (o *oracle) med(subtype uint8, f field) bool {
	const p = "lldp.media."
	if subtype == 0 || subtype > 11 || subtype == 3 && (f.number(p+"loc.data_format") < 1 || f.number(p+"loc.data_format") > 3) {
		return false
	}
	if o.MED == nil {
		o.MED = &model.MED{}
	}
	m := o.MED
	switch subtype {
	case 1:
		const c = p + "subtype.caps."
		m.Capabilities = f.names(c+"llpd", "capabilities", c+"network_policy", "network-policy", c+"location_id", "location",
			c+"mdi_pse", "power-pse", c+"mid_pd", "power-pd", c+"inventory", "inventory")
		m.Capabilities = append(m.Capabilities, unnamed(f.number(p+"subtype.caps"), 6)...)
		m.DeviceClass = pick([]string{"undefined", "endpoint-1", "endpoint-2", "endpoint-3", "network"}, f.number(p+"subtype.class"))
	case 2:
		m.Policies = append(m.Policies, policySays(f))
	case 3:
		locationSays(m, f)
	case 4:
		kind := f.number(p + "power.type")
		m.Power = &model.MEDPower{Device: pick([]string{"pse", "pd"}, kind), Source: sources[kind&1][f.number(p+"power.source")],
			Priority: pick(priorities, f.number(p+"power.prio")), MW: uint32(f.number(p+"power.value")) * 100}
	default:
		if m.Inventory == nil {
			m.Inventory = &model.MEDInventory{}
		}
		i := m.Inventory
		to := []*string{&i.Hardware, &i.Firmware, &i.Software, &i.Serial, &i.Manufacturer, &i.Model, &i.Asset}
		name := []string{"hardware", "firmware", "software", "sn", "manufacturer", "model", "asset"}
		*to[subtype-5] = wire.Text(f.bytes(p + name[subtype-5]))
	}
	return true
}

func policySays(f field) model.MEDPolicy {
	const p = "lldp.media."
	app := f.number(p + "app_type")
	names := []string{"0", "voice", "voice-signaling", "guest-voice", "guest-voice-signaling", "softphone-voice",
		"video-conferencing", "streaming-video", "video-signaling"}
	policy := model.MEDPolicy{Application: strconv.Itoa(int(app)), Unknown: f.is(p + "policy_flag"), Tagged: f.is(p + "tag_flag"),
		VLAN: uint16(f.number(p + "vlan_id")), Priority: uint8(f.number(p + "l2_prio")), DSCP: uint8(f.number(p + "dscp"))}
	if int(app) < len(names) {
		policy.Application = names[app]
	}
	return policy
}

func locationSays(m *model.MED, f field) {
	const p = "lldp.media."
	switch f.number(p + "loc.data_format") {
	case 1: // tshark's fields are parts of bytes: the position is compared, and what it says of it
		m.Coordinates = f.Value[14:46]
	case 2:
		c := &model.CivicLocation{What: pick([]string{"dhcp-server", "network-element", "client"}, f.number(p+"civic.what")),
			Country: wire.Text(f.bytes(p + "civic.country"))}
		values := f.all(p + "civic.value")
		for i, kind := range f.all(p + "civic.type") {
			part := model.CivicPart{Kind: kind.Show}
			lengths := f.all(p + "civic.length") // the first one is the whole's
			if len(lengths) > i+1 && lengths[i+1].Show != "0" && len(values) > 0 {
				part.Text = wire.Text(values[0].octets())
				values = values[1:]
			}
			c.Parts = append(c.Parts, part)
		}
		m.Civic = c
	case 3:
		m.ELIN = wire.Text(f.bytes(p + "ecs"))
	}
}

// numbered replaces our words for the parts of an address by their numbers, as
// tshark has them.
func numbered(c *model.CivicLocation) {
	numbers := map[string]int{"language": 0, "state": 1, "county": 2, "city": 3, "city-division": 4, "neighborhood": 5, "street": 6,
		"leading-street-direction": 16, "trailing-street-suffix": 17, "street-suffix": 18, "house-number": 19, "house-number-suffix": 20,
		"landmark": 21, "additional-location": 22, "name": 23, "postal-code": 24, "building": 25, "unit": 26, "floor": 27, "room": 28,
		"place-type": 29, "postal-community": 30, "post-office-box": 31, "additional-code": 32, "seat": 33, "script": 128}
	for i, part := range c.Parts {
		if n, ok := numbers[part.Kind]; ok {
			c.Parts[i].Kind = strconv.Itoa(n)
		}
	}
}
