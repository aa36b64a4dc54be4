package lldp_test

import (
	"reflect"
	"testing"

	"cassini/agent/frames/lldp"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
)

func FuzzDecode(f *testing.F) {
	for _, payload := range frametest.Payloads(f, wire.LLDP) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := lldp.Decode(payload)
		if err != nil {
			return
		}
		frametest.Sound(t, d, len(payload))
		if again, err := lldp.Decode(payload); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("decoding twice differs: %v", err)
		}
	})
}
