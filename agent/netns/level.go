package netns

import (
	"errors"
	"io/fs"
	"log/slog"
	"syscall"
)

// Level is how loud it is to be told that a namespace could not be entered, or an interface
// not be used: one that has gone meanwhile concerns nobody.
func Level(err error) slog.Level {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
