package containers

import (
	"context"
	"errors"
	"io/fs"
	"net"

	"cassini/agent/containers/found"
	"cassini/model"
)

// Source tells of containers. Find may be slow until its context ends. The error wraps
// found.ErrUnknown when the source is there and does not know the container, or is not
// there at all.
type Source interface {
	Find(ctx context.Context, home model.Home) (model.Container, error)
}

// Reasons why a container has no name, as the metric has them.
const (
	reasonUnknown     = "unknown"
	reasonUnreachable = "unreachable"
	reasonSlow        = "slow"
	reasonMalformed   = "malformed"
)

func reasons() []string {
	return []string{reasonUnknown, reasonUnreachable, reasonSlow, reasonMalformed}
}

// find asks one source after the other until one knows the container. The error is the
// worst that any had.
func find(ctx context.Context, sources []Source, home model.Home) (model.Container, error) {
	err := found.ErrUnknown
	for _, s := range sources {
		c, failed := s.Find(ctx, home)
		if failed == nil {
			return c, nil
		}
		if errors.Is(err, found.ErrUnknown) {
			err = failed
		}
	}
	return model.Container{}, err
}

func reason(err error) string {
	switch {
	case errors.Is(err, found.ErrMalformed):
		return reasonMalformed
	case errors.Is(err, context.DeadlineExceeded):
		return reasonSlow
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return reasonSlow
	}
	if errors.Is(err, found.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
		return reasonUnknown
	}
	return reasonUnreachable
}
