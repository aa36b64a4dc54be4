package delivery

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Header bears the version of a request, such as "2", and the range that a manager
// takes in each of its answers, such as "1-2". A request or an answer without it is of
// protocol 1.
const Header = "Cassini-Protocol"

// Versions of the protocol.
const (
	Unnumbered = 1 // documents alone
	Numbered   = 2 // deliveries
)

// Range is the versions that one side speaks, both ends included.
type Range struct{ Oldest, Newest int }

// Ours is what this Cassini speaks.
func Ours() Range { return Range{Oldest: Unnumbered, Newest: Numbered} }

// ErrRange says that a header is not of the form "2" or "1-2".
var ErrRange = errors.New("invalid protocol version")

const maxVersion = 1_000_000

// ParseRange reads a header; "" is protocol 1.
func ParseRange(header string) (Range, error) {
	if header == "" {
		return Range{Unnumbered, Unnumbered}, nil
	}
	low, high, both := strings.Cut(header, "-")
	if !both {
		high = low
	}
	r := Range{version(low), version(high)}
	if r.Oldest == 0 || r.Newest < r.Oldest {
		return Range{}, fmt.Errorf("%w: %.40q, want such as 2 or 1-2", ErrRange, header)
	}
	return r, nil
}

// version is 0 for what is none.
func version(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n > maxVersion || strconv.Itoa(n) != s {
		return 0
	}
	return max(n, 0)
}

// String is the range as the header has it.
func (r Range) String() string {
	if r.Oldest == r.Newest {
		return strconv.Itoa(r.Oldest)
	}
	return fmt.Sprintf("%d-%d", r.Oldest, r.Newest)
}

// Has says whether a version is in the range.
func (r Range) Has(version int) bool { return r.Oldest <= version && version <= r.Newest }

// Common is the newest version that both speak; false where there is none.
func (r Range) Common(other Range) (int, bool) {
	v := min(r.Newest, other.Newest)
	return v, r.Has(v) && other.Has(v)
}

// ErrVersion says that agent and manager have no version in common.
var ErrVersion = errors.New("agent and manager are too far apart in version")

// Mismatch says what to upgrade where an agent and a manager have nothing in common.
func Mismatch(agent, manager Range) error {
	older := "agent"
	if manager.Newest < agent.Oldest {
		older = "manager"
	}
	return fmt.Errorf("%w: the agent speaks protocol %s, the manager %s: upgrade the %s", ErrVersion, agent, manager, older)
}
