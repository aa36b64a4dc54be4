package simulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cassini/manager/rings"
	"cassini/model"
)

// TestDetectionAtLoss: every crash is known, also when a fifth of all datagrams is lost.
func TestDetectionAtLoss(t *testing.T) {
	for name, p := range map[string]model.Profile{"standard": model.StandardProfile(), "fast": model.FastProfile()} {
		t.Run(name, func(t *testing.T) {
			var took []time.Duration
			for seed := range uint64(12) {
				s := New(seed, p)
				s.Build(2, 12)
				s.Run(20 * time.Second)
				s.Loss = 0.2
				for i := range 6 {
					host := fmt.Sprintf("z%d-h%d", 1+i%2, 1+i*2)
					begin := s.Now()
					s.kill(host)
					s.Run(20 * p.Silence)
					if got := s.Manager.Rings.Host(host).State; got != rings.Crashed {
						t.Errorf("seed %d: %s is %s after %v%s", seed, host, got, 20*p.Silence, s.told())
						continue
					}
					took = append(took, s.when(host, model.VerdictCrashed, begin))
				}
			}
			slices.Sort(took)
			t.Logf("median %v, 90%% %v, most %v of %d", took[len(took)/2], took[len(took)*9/10], took[len(took)-1], len(took))
		})
	}
}
