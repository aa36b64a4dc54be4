package watch

import (
	"errors"

	"cassini/model/wire"
)

// Outcomes of a datagram, and two mishaps: keys of Counters.
const (
	Heartbeat      = "heartbeat"
	Control        = "control"
	Truncated      = "truncated"
	Malformed      = "malformed"
	UnknownSet     = "unknown-set"
	UnknownKey     = "unknown-key"
	Forged         = "forged"
	Replayed       = "replayed"
	OldIncarnation = "old-incarnation" // of a life that has ended
	NotWatched     = "not-watched"
	Limited        = "limited" // control datagrams beyond 1,024 a second, or 64 of those that came before
	Unarmed        = "unarmed" // heartbeats whose timer the kernel did not take
	Untold         = "untold"  // events that found no room, and were told later
)

// outcome of a datagram that was refused with err.
func outcome(err error) string {
	switch {
	case errors.Is(err, wire.ErrTruncated):
		return Truncated
	case errors.Is(err, wire.ErrForged):
		return Forged
	case errors.Is(err, wire.ErrKey):
		return UnknownKey
	case errors.Is(err, wire.ErrReplayed):
		return Replayed
	case errors.Is(err, ErrUnknown):
		return UnknownSet
	case err == nil:
		return NotWatched
	}
	return Malformed
}
