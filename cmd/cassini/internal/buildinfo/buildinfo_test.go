package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestFrom(t *testing.T) {
	bare := from(&debug.BuildInfo{})
	if bare.Version != "(devel)" || bare.Revision != "unknown" || bare.Go == "" || bare.Platform == "" {
		t.Errorf("a build without stamps must still have a name, got %+v", bare)
	}
	stamped := from(&debug.BuildInfo{
		Main:     debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
	})
	if stamped.Version != "v1.2.3" || stamped.Revision != "abc+dirty" {
		t.Errorf("got %+v", stamped)
	}
}
