package capture

import (
	"sync"
	"testing"

	"cassini/bpf"
)

// All that an agent opens at its start is opened at once, by the same types.
func TestOpenedAtOnce(t *testing.T) {
	for range 5 {
		types := bpf.NewTypes()
		var opening sync.WaitGroup
		opening.Go(func() {
			kernel, err := bpf.OpenTCP(bpf.Limits{Types: types, UDPBytes: true})
			if err != nil {
				t.Error(err)
				return
			}
			if err := kernel.Close(); err != nil {
				t.Error(err)
			}
		})
		opening.Go(func() {
			if unix, err := bpf.OpenUnix(bpf.UnixLimits{Types: types}); err == nil {
				_ = unix.Close()
			}
		})
		opening.Go(func() {
			if taps, err := bpf.OpenTaps(types); err == nil {
				_ = taps.Close()
			}
		})
		opening.Go(func() {
			if accepts, err := bpf.OpenAccepts(types); err == nil {
				_ = accepts.Close()
			}
		})
		opening.Wait()
	}
}
