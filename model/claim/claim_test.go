package claim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"cassini/model"
)

const mac1, mac2 = "02:00:00:00:00:01", "02:00:00:00:00:02"

func machine(id, dmi, boot string, macs ...string) model.Machine {
	return model.Machine{MachineID: id, DMI: dmi, BootID: boot, MACs: macs}
}

// TestOf is about machines that come with nothing but a name.
func TestOf(t *testing.T) {
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
		"the UUID differs and a card is the same one": {machine("a", "d1", "b1", mac1), machine("a", "d2", "b2", mac1), Itself, Another},
	} {
		for live, want := range map[bool]Claim{false: tc.silent, true: tc.live} {
			if got := Of(tc.has, tc.joins, false, func() bool { return live }); got != want {
				t.Errorf("%s, live %v: got %s, want %s", name, live, got, want)
			}
		}
	}
}

// TestHolds is about machines that have a data directory: theirs, or a copy.
func TestHolds(t *testing.T) {
	has := machine("a", "d1", "b1", mac1)
	for name, tc := range map[string]struct {
		has, comes model.Machine
		want       Claim
	}{
		"its agent was restarted":                {has, has, Itself},
		"it was booted":                          {has, machine("a", "d1", "b2", mac1), Itself},
		"installed anew, the directory kept":     {has, machine("b", "d1", "b2", mac1), Itself},
		"one more card":                          {has, machine("a", "d1", "b2", mac1, mac2), Itself},
		"a changed card":                         {has, machine("a", "d1", "b2", mac2), Open},
		"a changed card where there is no DMI":   {machine("a", "", "b1", mac1), machine("a", "", "b2", mac2), Open},
		"a restored snapshot":                    {machine("a", "d1", "b2", mac1), has, Itself},
		"a live migration":                       {has, has, Itself},
		"another board, its cards kept":          {has, machine("a", "d2", "b2", mac1), Open},
		"a clone":                                {has, machine("a", "d2", "b2", mac2), Another},
		"a clone with the addresses of cards":    {has, machine("a", "d2", "b2", mac1), Open},
		"a clone with a machine-id of its own":   {has, machine("b", "d2", "b2", mac2), Another},
		"and without DMI":                        {machine("a", "", "b1", mac1), machine("b", "", "b2", mac2), Another},
		"a clone of which only a machine-id is":  {machine("a", "", "b1"), machine("a", "", "b2"), Open},
		"a directory of an older agent":          {model.Machine{}, has, Untold},
		"nothing can be read":                    {has, model.Machine{}, Untold},
		"cards cannot be read any more":          {has, machine("a", "d1", "b2"), Itself},
		"a machine-id that was made after all":   {machine("", "d1", "b1", mac1), machine("a", "d1", "b2", mac1), Itself},
		"a container that was made anew, no DMI": {machine("a", "", "b1"), machine("b", "", "b1"), Another},
	} {
		if got := Weigh(tc.has, tc.comes, true); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestParts is about a machine of which one part after the other is changed: the board, then the card.
func TestParts(t *testing.T) {
	joined, told := machine("a", "d1", "b1", mac1), machine("a", "d2", "b2", mac1)
	quiet := machine("a", "d2", "b2") // does not tell of its cards
	for name, tc := range map[string]struct {
		told, comes model.Machine
		want        Claim
	}{
		"as it joined":                      {told, joined, Itself},
		"a boot on the new board":           {told, machine("a", "d2", "b3", mac1), Open},
		"then the card":                     {told, machine("a", "d2", "b3", mac2), Open},
		"then the card, which nobody tells": {quiet, machine("a", "d2", "b3", mac2), Open},
		"board and card at once":            {joined, machine("a", "d2", "b3", mac2), Another},
		"nothing was told yet":              {model.Machine{}, machine("a", "d2", "b3", mac2), Another},
		"a clone on hardware of its own":    {told, machine("a", "d3", "b3", mac2), Another},
	} {
		if got := Holds(joined, tc.told, tc.comes); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// some is a machine of which by chance some things are known, with cards n to m.
func some(r *rand.Rand, n, m int) model.Machine {
	pick := func(of string) string {
		if v := r.IntN(3); v > 0 {
			return fmt.Sprint(of, v)
		}
		return ""
	}
	out := machine(pick("id"), pick("dmi"), pick("boot"))
	for i := n; i < m; i++ {
		if r.IntN(2) == 0 {
			out.MACs = append(out.MACs, fmt.Sprintf("02:00:00:00:00:%02x", i))
		}
	}
	return out
}

// TestProperties holds the rule against what has to be true of any two machines.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		a, b := some(r, 0, 4), some(r, 0, 4)
		for _, holds := range []bool{false, true} {
			got := Weigh(a, b, holds)
			if back := Weigh(b, a, holds); back != got {
				t.Fatalf("%+v and %+v, holds %v: %s one way and %s the other", a, b, holds, got, back)
			}
			if same := Weigh(a, a, holds); same != Itself && same != Untold && !(same == Open && a.BootID == "") {
				t.Fatalf("%+v and itself: %s", a, same)
			}
			// Nothing is certain against an equal UUID, or an equal card.
			card := slices.ContainsFunc(a.MACs, func(mac string) bool { return slices.Contains(b.MACs, mac) })
			if got == Another && (card || a.DMI != "" && a.DMI == b.DMI) {
				t.Fatalf("%+v and %+v, holds %v: %s", a, b, holds, got)
			}
			// A clone that was given all of its own is never taken for the original.
			if a.DMI != "" && b.DMI != "" && a.DMI != b.DMI && !card && got != Another {
				t.Fatalf("%+v and %+v, holds %v: %s", a, b, holds, got)
			}
		}
		// Who holds the data directory is not told to be another one by less than who does not.
		if Weigh(a, b, true) == Another && Weigh(a, b, false) != Another {
			t.Fatalf("%+v and %+v: another one only since it holds", a, b)
		}
		if Weigh(a, b, true) == Itself && Weigh(a, b, false) == Another {
			t.Fatalf("%+v and %+v: itself by holding alone, which a copy does too", a, b)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		claims []Claim
		want   string
	}{
		{nil, ""},
		{[]Claim{Another, Another}, ""},
		{[]Claim{Untold, Another, Itself}, "c"},
		{[]Claim{Another, Untold, Untold}, "b"},
		{[]Claim{Another, Open, Untold}, "b"},
		{[]Claim{Itself, Itself}, "a"},
	} {
		ids := []string{"a", "b", "c"}[:len(tc.claims)]
		got, ok := Choose(ids, func(id string) Claim { return tc.claims[id[0]-'a'] })
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%v: got %q, %v", tc.claims, got, ok)
		}
	}
}
