// Package moment keeps moments in a third of the memory that a time.Time takes: where
// there are millions of them, that is most of what is kept.
package moment

import (
	"math"
	"time"
)

// Moment is a time to the nanosecond, without a zone, in order as numbers are. The zero
// value is the zero time. Times before 1678 and after 2262 are taken for the first and the
// last that there is.
type Moment uint64

const (
	flip  = 1 << 63 // makes the order of signed numbers that of unsigned ones
	first = 1
	last  = math.MaxUint64
)

// most are the seconds from 1970 to the first and to the last that there is, but for parts of a second.
const most = math.MaxInt64 / int64(time.Second)

// Of is the moment of a time.
func Of(t time.Time) Moment {
	switch seconds := t.Unix(); {
	case -most < seconds && seconds < most:
		return Moment(uint64(t.UnixNano()) ^ flip)
	case t.IsZero():
		return 0
	case seconds < 0:
		return first
	}
	return last
}

// Time is the moment as a time, in UTC.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(uint64(m)^flip)).UTC()
}

// IsZero reports whether it is the zero time.
func (m Moment) IsZero() bool { return m == 0 }

// Before reports whether m is earlier than n.
func (m Moment) Before(n Moment) bool { return m < n }

// After reports whether m is later than n.
func (m Moment) After(n Moment) bool { return m > n }

// Sub is how long m is after n; as with time.Time, what is longer than a Duration can be is
// the longest or the shortest there is.
func (m Moment) Sub(n Moment) time.Duration { return m.Time().Sub(n.Time()) }
