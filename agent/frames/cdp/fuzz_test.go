package cdp_test

import (
	"reflect"
	"testing"

	"cassini/agent/frames/cdp"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
)

func FuzzDecode(f *testing.F) {
	for _, payload := range frametest.Payloads(f, wire.CDP) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := cdp.Decode(payload)
		if err != nil {
			return
		}
		frametest.Sound(t, d, len(payload))
		if again, err := cdp.Decode(payload); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("decoding twice differs: %v", err)
		}
	})
}
