package graph

import (
	"runtime"
	"sync"
)

// inParts does something for n things, a part of them on each processor where there are
// enough, and returns when all is done. Parts are those from one index to before another.
func inParts(n, enough int, do func(from, end int)) {
	part := max(enough, (n+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var others sync.WaitGroup
	for from := part; from < n; from += part {
		others.Go(func() { do(from, min(from+part, n)) })
	}
	do(0, min(part, n))
	others.Wait()
}
