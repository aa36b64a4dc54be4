// Package buildinfo tells which Cassini this is, from what the Go tool stamped
// into the binary.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Info names one build.
type Info struct {
	Version  string `json:"version"`  // a tag, or a pseudo-version; "(devel)" when nothing was stamped
	Revision string `json:"revision"` // of the source; "+dirty" behind it when it was changed, "unknown" when not stamped
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
}

// Read returns the build of the running binary.
func Read() Info {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return from(info)
}

func from(build *debug.BuildInfo) Info {
	info := Info{Version: "(devel)", Revision: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build.Main.Version != "" {
		info.Version = build.Main.Version
	}
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		info.Revision = revision
		if settings["vcs.modified"] == "true" {
			info.Revision += "+dirty"
		}
	}
	return info
}
