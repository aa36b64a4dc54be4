package cdp_test

import (
	"reflect"
	"testing"

	"cassini/agent/frames/cdp"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
	"cassini/model"
)

func FuzzDecode(f *testing.F) {
	for _, payload := range frametest.Payloads(f, wire.CDP) {
		f.Add(payload)
	}
	for _, payload := range frametest.Payloads(f, wire.FDP) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, decode := range []func([]byte) (model.Discovery, error){cdp.Decode, cdp.DecodeFDP} {
			d, err := decode(payload)
			if err != nil {
				continue
			}
			frametest.Sound(t, d, len(payload))
			if again, err := decode(payload); err != nil || !reflect.DeepEqual(again, d) {
				t.Errorf("decoding twice differs: %v", err)
			}
		}
	})
}
