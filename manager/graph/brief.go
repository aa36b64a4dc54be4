package graph

import (
	"slices"

	"cassini/model"
)

// brief is what takes a few bits of each dependency: its direction, whether an In document is
// joined with an Out one, whether it has met one since its link was joined (see announce), and
// the number of the process.
type brief uint32

const (
	briefGoes   brief = 0b11 // of directions
	briefJoined brief = 0b100
	briefMet    brief = 0b1000
	briefPID          = 4 // where the number begins
)

var directions = [...]model.Direction{model.Unknown, model.Out, model.In}

func briefOf(d model.Direction) brief { return brief(max(slices.Index(directions[:], d), 0)) }

func (b brief) direction() model.Direction { return directions[b&briefGoes] }

func (b brief) joined() bool { return b&briefJoined != 0 }

func (b *brief) isJoined() { *b |= briefJoined }

func (b brief) met() bool { return b&briefMet != 0 }

func (b *brief) hasMet() { *b |= briefMet }

// joinsAnew forgets how it was joined.
func (b *brief) joinsAnew() { *b &^= briefJoined | briefMet }

func (b brief) pid() int { return int(b >> briefPID) }

// isProcess takes the number of a process. Of no kernel is it greater than there is room for.
func (b *brief) isProcess(pid int) {
	const most = 1<<(32-briefPID) - 1
	*b = *b&(1<<briefPID-1) | brief(min(max(pid, 0), most))<<briefPID
}
