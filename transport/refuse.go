package transport

import (
	"errors"

	"cassini/model/wire"
)

var (
	errUnknownSet = errors.New("unknown ring")
	errFiltered   = errors.New("it is for a reflector")
	errLimited    = errors.New("too many datagrams")
)

// outcome of a control datagram.
func outcome(err error) string {
	switch {
	case err == nil:
		return Taken
	case errors.Is(err, errUnknownSet):
		return UnknownSet
	case errors.Is(err, errFiltered):
		return Filtered
	case errors.Is(err, errLimited):
		return Limited
	case errors.Is(err, wire.ErrTruncated):
		return Truncated
	case errors.Is(err, wire.ErrKey):
		return UnknownKey
	case errors.Is(err, wire.ErrForged):
		return Forged
	case errors.Is(err, wire.ErrReplayed):
		return Replayed
	}
	return Malformed
}

// Control datagrams that pass in a second where no watch sees them first, and how many of
// their headers are remembered.
const (
	freshRate = 65536
	maxSeen   = 1 << 14
)
