package graph

import (
	"testing"
	"unsafe"
)

// TestWhatThereIsMostOfIsSmall holds what there are millions of within the sizes in which Go
// hands out memory: the next one is an eighth more.
func TestWhatThereIsMostOfIsSmall(t *testing.T) {
	for what, size := range map[string][2]uintptr{
		"dependency": {unsafe.Sizeof(dependency{}), 96}, "node": {unsafe.Sizeof(node{}), 80}, "edge": {unsafe.Sizeof(edge{}), 24},
		"dependsOn": {unsafe.Sizeof(dependsOn{}), 48}, "link": {unsafe.Sizeof(link{}), 48},
	} {
		if size[0] > size[1] {
			t.Errorf("%s takes %d bytes, more than %d", what, size[0], size[1])
		}
	}
}
