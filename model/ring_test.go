package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestAssignmentKeepsItself(t *testing.T) {
	a := Assignment{
		Ring: "subnet:10.0.0.0/24", Epoch: 7, Profile: StandardProfile(),
		Next:       RingNeighbor{RingMember: RingMember{Host: "web-2", Addr: netip.MustParseAddrPort("10.0.0.2:1984"), Incarnation: 5, Zone: "sw-1"}},
		Successors: []RingMember{{Host: "web-2"}, {Host: "web-3"}},
		Keys:       KeySet{Current: 2, Keys: []RingKey{{ID: 1, Secret: Secret{1}}, {ID: 2, Secret: Secret{31: 9}}}},
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Assignment
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, back) {
		t.Errorf("got %+v, want %+v", back, a)
	}
}

func TestSecretIsNotShown(t *testing.T) {
	key := RingKey{ID: 1, Secret: Secret{0xab, 0xcd}}
	for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
		if got := fmt.Sprintf(verb, key); strings.Contains(strings.ToLower(got), "abcd") || strings.Contains(got, "171") || strings.Contains(got, "0xab") {
			t.Errorf("%s shows %s", verb, got)
		}
	}
	for _, bad := range []string{"", "ab", strings.Repeat("x", 64), strings.Repeat("a", 66)} {
		if err := new(Secret).UnmarshalText([]byte(bad)); !errors.Is(err, ErrSecret) {
			t.Errorf("%q: error is %v", bad, err)
		}
	}
}

func TestKeySet(t *testing.T) {
	k := KeySet{Current: 2, Keys: []RingKey{{ID: 1}, {ID: 2, Secret: Secret{7}}}}
	if key, ok := k.Sending(); !ok || key.Secret != (Secret{7}) {
		t.Errorf("sends with %v", key.ID)
	}
	if _, ok := k.Find(3); ok {
		t.Error("found a key that is not there")
	}
}
