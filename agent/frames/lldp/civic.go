package lldp

import (
	"strconv"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// civicKinds names the parts of an address (RFC 4776, section 3.4; 6 as
// ANSI/TIA-1057 has it).
var civicKinds = map[uint8]string{
	0: "language", 1: "state", 2: "county", 3: "city", 4: "city-division", 5: "neighborhood", 6: "street",
	16: "leading-street-direction", 17: "trailing-street-suffix", 18: "street-suffix", 19: "house-number",
	20: "house-number-suffix", 21: "landmark", 22: "additional-location", 23: "name", 24: "postal-code",
	25: "building", 26: "unit", 27: "floor", 28: "room", 29: "place-type", 30: "postal-community", 31: "post-office-box",
	32: "additional-code", 33: "seat", 34: "road", 35: "road-section", 36: "road-branch", 37: "road-sub-branch",
	38: "street-name-pre-modifier", 39: "street-name-post-modifier", 128: "script",
}

var civicWhat = [...]string{"dhcp-server", "network-element", "client"}

// civic reads: length, what, country, and parts of type, length, value.
func (d *decoder) civic(v []byte) {
	const name = "MED civic location"
	if !d.enough(name, v, 4) || !d.enough(name, v, 1+int(v[0])) || !d.once(name) {
		return
	}
	if v[0] < 3 {
		d.problem("%s: length %d, want 3 or more", name, v[0])
		return
	}
	body := v[1 : 1+v[0]]
	c := &model.CivicLocation{What: named(civicWhat[:], body[0]), Country: wire.Text(body[1:3])}
	for parts := body[3:]; len(parts) > 0; {
		if len(parts) < 2 || len(parts) < 2+int(parts[1]) {
			d.problem("%s: a part runs past the end", name)
			break
		}
		end := 2 + int(parts[1])
		c.Parts = append(c.Parts, model.CivicPart{Kind: civicKind(parts[0]), Text: wire.Text(parts[2:end])})
		parts = parts[end:]
	}
	d.med().Civic = c
}

func civicKind(n uint8) string {
	if name, ok := civicKinds[n]; ok {
		return name
	}
	return strconv.Itoa(int(n))
}
