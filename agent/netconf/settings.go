package netconf

import (
	"fmt"
	"math"

	"cassini/model"

	"github.com/safchain/ethtool"
)

// settings are what ethtool(8) tells of a link. What a driver does not know is left
// empty.
type settings struct {
	speed                 uint32
	duplex                string
	autonegotiation       bool
	driver, firmware, bus string
	wake                  string
	ring                  *model.RingSizes
	pause                 *model.Pause
}

// readSettings asks the driver, by ethtool's ioctls.
func readSettings(e *ethtool.Ethtool, name string) (s settings) {
	if info, err := e.DriverInfo(name); err == nil {
		s.driver, s.firmware, s.bus = info.Driver, info.FwVersion, info.BusInfo
	}
	var cmd ethtool.EthtoolCmd
	if speed, err := e.CmdGet(&cmd, name); err == nil {
		if speed != math.MaxUint32 && speed != math.MaxUint16 { // SPEED_UNKNOWN, once 16 bits
			s.speed = speed
		}
		s.duplex = map[uint8]string{0: "half", 1: "full"}[cmd.Duplex]
		s.autonegotiation = cmd.Autoneg == 1
	}
	if ring, err := e.GetRing(name); err == nil {
		s.ring = &model.RingSizes{RX: ring.RxPending, RXMax: ring.RxMaxPending, TX: ring.TxPending, TXMax: ring.TxMaxPending}
	}
	if pause, err := e.GetPause(name); err == nil {
		s.pause = &model.Pause{Autonegotiation: pause.Autoneg != 0, RX: pause.RxPause != 0, TX: pause.TxPause != 0}
	}
	if wake, err := e.GetWakeOnLan(name); err == nil && wake.Supported != 0 {
		s.wake = wakeLetters(wake.Opts)
	}
	return s
}

// wakeLetters writes WAKE_* bits (linux/ethtool.h) as ethtool(8) does.
func wakeLetters(bits uint32) (letters string) {
	for i, letter := range "pumbagsf" {
		if bits&(1<<i) != 0 {
			letters += string(letter)
		}
	}
	if letters == "" {
		return "d" // disabled
	}
	return letters
}

func (s settings) describe(i *model.Interface) {
	i.Driver, i.Firmware, i.Bus, i.WakeOnLAN = s.driver, s.firmware, s.bus, s.wake
	i.Duplex, i.Autonegotiation, i.Ring, i.Pause = s.duplex, s.autonegotiation, s.ring, s.pause
	if i.Carrier != 0 {
		i.Speed = s.speed
	}
}

// openEthtool opens the socket for readSettings in the thread's namespace.
func openEthtool() (*ethtool.Ethtool, error) {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return nil, fmt.Errorf("open a socket for link settings: %w", err)
	}
	return e, nil
}
