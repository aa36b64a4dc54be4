package capture

import (
	"slices"
	"testing"
)

// Things with one hash are told apart, whichever of them goes.
func TestThingsWithOneHash(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, gone := range names {
		x := newIndex(func(s *string) string { return *s })
		const hash = 7
		for i := range names {
			x.add(hash, &names[i])
		}
		for i, name := range names {
			if x.find(hash, name) != &names[i] {
				t.Errorf("%s is not found", name)
			}
		}
		x.drop(hash, x.find(hash, gone))
		var left []string
		for v := range x.all() {
			left = append(left, *v)
		}
		slices.Sort(left)
		want := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == gone })
		if !slices.Equal(left, want) || x.len() != 2 {
			t.Errorf("without %s: %v", gone, left)
		}
	}
}

func TestIndex(t *testing.T) {
	x := newIndex(func(s *string) string { return *s })
	one, two := "one", "two"
	x.put(&one)
	x.put(&two)
	if x.get("one") != &one || x.get("two") != &two || x.get("three") != nil || x.len() != 2 {
		t.Error("not found")
	}
	x.remove(&one)
	if x.get("one") != nil || x.len() != 1 {
		t.Error("still there")
	}
}
