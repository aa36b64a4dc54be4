// Package wiring holds cables against a plan: which interface of a host should end in
// which port of which switch, and which does. Plans are CSV, or what lldpcli wrote when
// all was well.
//
// The package is pure: a plan and what is heard in, differences out.
package wiring

import (
	"errors"

	"cassini/model"
)

// Limits on a plan.
const (
	MaxPlan   = 16 << 20 // bytes
	MaxCables = 200_000
	maxName   = 1024 // bytes of one field
)

// ErrPlan marks a plan that cannot be used; the text of the wrapping error says which
// line is wrong and what to do.
var ErrPlan = errors.New("the plan cannot be used")

// Plan is cables as they should be.
type Plan struct {
	Cables []model.PlannedCable
	// Partial says that hosts that are not in it may have cables.
	Partial bool
}
