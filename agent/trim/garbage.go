package trim

import (
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage comes together before it is collected, in percent of what is in use: while
// much is done, and at rest at least; and how many bytes are room enough at rest.
const (
	whileBusy = 40
	leastRest = 10
	restRoom  = 8 << 20
)

// Busy lets an agent have room for what it has to do. It is how an agent begins.
func Busy() { debug.SetGCPercent(whileBusy) }

// Rest is Now, and leaves little room to one that has little to do: what it has in use is
// looked through more often, and that takes a twentieth of a second where much is known.
func Rest() {
	Now()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		debug.SetGCPercent(percent(live[0].Value.Uint64()))
	}
}

// percent is what leaves restRoom beside so many bytes in use.
func percent(live uint64) int {
	return int(min(max(restRoom*100/max(live, 1), leastRest), whileBusy))
}
