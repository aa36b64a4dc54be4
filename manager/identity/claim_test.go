package identity

import (
	"testing"

	"cassini/model"
)

func TestClaims(t *testing.T) {
	const mac1, mac2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
	machine := func(id, dmi, boot string, macs ...string) model.Machine {
		return model.Machine{MachineID: id, DMI: dmi, BootID: boot, MACs: macs}
	}
	for name, tc := range map[string]struct {
		has, joins model.Machine
		silent     Claim // while the one that has the name is not heard
		live       Claim
	}{
		"two machines of a cloud image":               {machine("a", "d1", "b1", mac1), machine("b", "d2", "b2", mac2), Another, Another},
		"a clone":                                     {machine("a", "d1", "b1", mac1), machine("a", "d2", "b2", mac2), Another, Another},
		"a clone, both not root":                      {machine("a", "", "b1", mac1), machine("a", "", "b2", mac2), Another, Another},
		"installed anew":                              {machine("a", "d1", "b1", mac1), machine("b", "d1", "b2", mac1), Itself, Itself},
		"installed anew, not root":                    {machine("a", "", "b1", mac1), machine("b", "", "b2", mac1), Itself, Itself},
		"installed anew, one of two cards changed":    {machine("a", "d1", "b1", mac1, mac2), machine("b", "d1", "b2", mac2), Itself, Itself},
		"another card":                                {machine("a", "d1", "b1", mac1), machine("a", "d1", "b2", mac2), Itself, Another},
		"boards with one UUID":                        {machine("a", "d1", "b1", mac1), machine("b", "d1", "b2", mac2), Itself, Another},
		"lost its data directory":                     {machine("a", "d1", "b1", mac1), machine("a", "d1", "b1", mac1), Itself, Itself},
		"joins beside its own agent":                  {machine("a", "", "b1"), machine("a", "", "b1"), Itself, Itself},
		"booted and lost it, or a clone":              {machine("a", "", "b1"), machine("a", "", "b2"), Itself, Another},
		"namespaces of one kernel":                    {machine("a", "", "b1", mac1), machine("a", "", "b1", mac2), Another, Another},
		"machine-ids alone differ":                    {machine("a", "", "b1"), machine("b", "", "b2"), Another, Another},
		"cards of one are not known, one UUID":        {machine("a", "d1", "b1"), machine("b", "d1", "b2", mac1), Itself, Itself},
		"cards of one are not known, another UUID":    {machine("a", "d1", "b1"), machine("a", "d2", "b2", mac1), Another, Another},
		"an older agent that has the name":            {model.Machine{}, machine("b", "d2", "b2", mac2), Untold, Untold},
		"an older agent that joins":                   {machine("a", "d1", "b1", mac1), model.Machine{}, Untold, Untold},
		"nothing in common is known":                  {machine("a", "", ""), machine("", "d1", "", mac1), Untold, Untold},
		"one boot and no machine-id is no evidence":   {machine("", "", "b1"), machine("", "", "b1"), Untold, Untold},
		"the UUID differs and a card is the same one": {machine("a", "d1", "b1", mac1), machine("a", "d2", "b2", mac1), Itself, Itself},
	} {
		for live, want := range map[bool]Claim{false: tc.silent, true: tc.live} {
			if got := Claims(tc.has, tc.joins, func() bool { return live }); got != want {
				t.Errorf("%s, live %v: got %s, want %s", name, live, got, want)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		claims []Claim
		want   string
	}{
		{nil, ""}, {[]Claim{Another, Another}, ""}, {[]Claim{Untold, Another, Itself}, "c"}, {[]Claim{Another, Untold, Untold}, "b"}, {[]Claim{Itself, Itself}, "a"},
	} {
		ids := []string{"a", "b", "c"}[:len(tc.claims)]
		got, ok := Choose(ids, func(id string) Claim { return tc.claims[id[0]-'a'] })
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%v: got %q, %v", tc.claims, got, ok)
		}
	}
}
