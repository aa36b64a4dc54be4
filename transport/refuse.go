package transport

import (
	"errors"
	"time"

	"cassini/model/wire"
)

var (
	errUnknownSet = errors.New("unknown ring")
	errLimited    = errors.New("too many datagrams")
)

// outcome of a control datagram.
func outcome(err error) string {
	switch {
	case err == nil:
		return Taken
	case errors.Is(err, errUnknownSet):
		return UnknownSet
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

// limiter lets control datagrams with a good tag through at a rate that bounds what
// opening them costs, where no watch does that.
type limiter struct {
	fullAt time.Time
}

const (
	burst  = 65536
	refill = time.Second / 65536
)

func (l *limiter) pass() bool {
	now := time.Now()
	from := now
	if l.fullAt.After(now) {
		from = l.fullAt
	}
	if from.Sub(now) > (burst-1)*refill {
		return false
	}
	l.fullAt = from.Add(refill)
	return true
}
