package main

import "testing"

func TestTables(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		asked  tables
		memory uint64
		want   tables
	}{
		{tables{}, 64 * gib, tables{65_536, 262_144}},
		{tables{}, 8 * gib, tables{65_536, 262_144}},
		{tables{}, 4 * gib, tables{32_768, 131_072}},
		{tables{}, gib / 2, tables{8_192, 32_768}},
		{tables{}, 0, tables{8_192, 32_768}},
		{tables{edges: 1 << 20}, gib, tables{1 << 20, 32_768}},
		{tables{connections: 300}, 4 * gib, tables{32_768, 300}},
	} {
		if got := c.asked.on(c.memory); got != c.want {
			t.Errorf("%+v with %d bytes: %+v, want %+v", c.asked, c.memory, got, c.want)
		}
	}
	if memory() < 1<<20 {
		t.Errorf("this machine has %d bytes of memory", memory())
	}
	for _, bad := range []tables{{edges: 255}, {edges: 1<<20 + 1}, {connections: 255}, {connections: 1<<23 + 1}} {
		if bad.check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if err := (&tables{}).check(); err != nil {
		t.Error(err)
	}
}
