package netns

import (
	"errors"
	"io/fs"
	"log/slog"
)

// Level is how loud it is to be told that a namespace could not be entered: one that has
// gone meanwhile concerns nobody.
func Level(err error) slog.Level {
	if errors.Is(err, fs.ErrNotExist) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
