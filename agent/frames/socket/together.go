package socket

import (
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many sockets are let go of at a time.
const atOnce = 16

// Together lets sockets go, each by a call of do, several at a time: a packet socket is closed once
// all processors have done with what they had in hand (synchronize_net, net/packet/af_packet.c),
// which takes some 10 ms, and may be the same time for many.
func Together[T any](each iter.Seq[T], do func(T)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for one := range each {
		group.Go(func() error {
			do(one)
			return nil
		})
	}
	_ = group.Wait()
}

// closeAll closes sockets.
func closeAll(taps []*tap) {
	Together(slices.Values(taps), func(t *tap) { _ = t.Close() })
}
