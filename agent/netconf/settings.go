package netconf

import (
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
	modes                 *model.LinkModes
	port                  string
	driver, firmware, bus string
	wake                  string
	ring                  *model.RingSizes
	pause                 *model.Pause
}

// read asks the driver: by ethtool's netlink interface, and for what that does not
// tell, here or at all, by its ioctls.
func (d *drivers) read(index int, name string) (s settings) {
	if info, err := d.ioctl.DriverInfo(name); err == nil {
		s.driver, s.firmware, s.bus = info.Driver, info.FwVersion, info.BusInfo
	}
	for _, one := range []struct {
		question question
		older    func(e *ethtool.Ethtool, name string, s *settings)
	}{
		{linkModes, olderModes}, {linkInfo, nil}, {rings, olderRings}, {pause, olderPause}, {wake, olderWake},
	} {
		if err := d.ask(one.question, index, &s); err != nil && one.older != nil {
			one.older(d.ioctl, name, &s)
		}
	}
	return s
}

// known is a speed in Mbit/s, or 0 for SPEED_UNKNOWN, which once had 16 bits.
func known(speed uint32) uint32 {
	if speed == math.MaxUint32 || speed == math.MaxUint16 {
		return 0
	}
	return speed
}

func duplexName(d uint8) string { return map[uint8]string{0: "half", 1: "full"}[d] }

// portName is the kind of plug (PORT_* of linux/ethtool.h), as ethtool(8) calls it.
func portName(p uint8) string {
	return map[uint8]string{0: "twisted pair", 1: "AUI", 2: "MII", 3: "fibre", 4: "BNC", 5: "direct attach copper"}[p]
}

func olderModes(e *ethtool.Ethtool, name string, s *settings) {
	var cmd ethtool.EthtoolCmd
	if speed, err := e.CmdGet(&cmd, name); err == nil {
		s.speed, s.duplex, s.autonegotiation, s.port = known(speed), duplexName(cmd.Duplex), cmd.Autoneg == 1, portName(cmd.Port)
	}
}

func olderRings(e *ethtool.Ethtool, name string, s *settings) {
	if ring, err := e.GetRing(name); err == nil {
		s.ring = &model.RingSizes{RX: ring.RxPending, RXMax: ring.RxMaxPending, TX: ring.TxPending, TXMax: ring.TxMaxPending}
	}
}

func olderPause(e *ethtool.Ethtool, name string, s *settings) {
	if pause, err := e.GetPause(name); err == nil {
		s.pause = &model.Pause{Autonegotiation: pause.Autoneg != 0, RX: pause.RxPause != 0, TX: pause.TxPause != 0}
	}
}

func olderWake(e *ethtool.Ethtool, name string, s *settings) {
	if wake, err := e.GetWakeOnLan(name); err == nil && wake.Supported != 0 {
		s.wake = wakeLetters(wake.Opts)
	}
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
	i.LinkModes, i.Port = s.modes, s.port
	if i.Carrier != 0 {
		i.Speed = s.speed
	}
}
