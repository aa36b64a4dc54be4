package host

import "testing"

func TestPlausibleUUID(t *testing.T) {
	for uuid, want := range map[string]string{
		"4C4C4544-0032-4A10-8058-B4C04F564433": "4c4c4544-0032-4a10-8058-b4c04f564433",
		"00000000-0000-0000-0000-000000000000": "",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF": "",
		"":                                     "",
	} {
		if got := plausibleUUID(uuid); got != want {
			t.Errorf("%q: got %q, want %q", uuid, got, want)
		}
	}
}
