//! Recording sessions of Core Audio: the processes with an open and running microphone. Windows signals when sessions are
//! created, start, pause or end, and when devices are added or removed; the state is then read again.

use std::sync::Arc;

use windows::{
    Win32::{
        Foundation::PROPERTYKEY,
        Media::Audio::{
            AudioSessionDisconnectReason, AudioSessionState, AudioSessionStateActive, DEVICE_STATE,
            DEVICE_STATE_ACTIVE, EDataFlow, ERole, IAudioSessionControl, IAudioSessionControl2,
            IAudioSessionEvents, IAudioSessionEvents_Impl, IAudioSessionManager2,
            IAudioSessionNotification, IAudioSessionNotification_Impl, IMMDeviceEnumerator,
            IMMNotificationClient, IMMNotificationClient_Impl, MMDeviceEnumerator, eCapture,
        },
        System::Com::{CLSCTX_ALL, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx},
    },
    core::{BOOL, GUID, Interface, PCWSTR, Ref, Result, implement},
};

/// Called after a change, on a thread of Windows, which it must not block.
type Changed = Arc<dyn Fn() + Send + Sync>;

/// Current recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Number of recording devices.
    pub devices: usize,
    /// Processes with a running session.
    pub pids: Vec<u32>,
}

/// Connection to Core Audio. It must stay on the thread that created it.
pub struct Sessions {
    enumerator: IMMDeviceEnumerator,
    changed: Changed,
    hot_plug: IMMNotificationClient,
    devices: Vec<Device>,
}

/// A device with registered notifications.
struct Device {
    manager: IAudioSessionManager2,
    new_sessions: IAudioSessionNotification,
    sessions: Vec<(IAudioSessionControl, IAudioSessionEvents)>,
}

impl Sessions {
    /// Registers for notifications.
    ///
    /// # Errors
    /// Core Audio is not available.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Result<Self> {
        let changed: Changed = Arc::new(changed);
        let hot_plug: IMMNotificationClient = Listener(changed.clone()).into();
        // SAFETY: the call takes no pointers; the listener lives until it is unregistered in `drop`.
        let enumerator = unsafe {
            CoInitializeEx(None, COINIT_MULTITHREADED).ok()?;
            let enumerator: IMMDeviceEnumerator =
                CoCreateInstance(&MMDeviceEnumerator, None, CLSCTX_ALL)?;
            enumerator.RegisterEndpointNotificationCallback(&hot_plug)?;
            enumerator
        };
        Ok(Self {
            enumerator,
            changed,
            hot_plug,
            devices: Vec::new(),
        })
    }

    /// Reads the current recordings, and registers for notifications of all devices and sessions.
    ///
    /// # Errors
    /// Core Audio failed, for example because it was restarted.
    pub fn read(&mut self) -> Result<Recording> {
        self.devices.clear();
        let mut recording = Recording::default();
        // SAFETY: all interfaces are owned, and live until the end of the call.
        unsafe {
            let list = self
                .enumerator
                .EnumAudioEndpoints(eCapture, DEVICE_STATE_ACTIVE)?;
            for index in 0..list.GetCount()? {
                // A device that was removed in the meantime causes another notification.
                let Ok(device) = list.Item(index) else {
                    continue;
                };
                let Ok(manager) = device.Activate::<IAudioSessionManager2>(CLSCTX_ALL, None) else {
                    continue;
                };
                let new_sessions: IAudioSessionNotification = Listener(self.changed.clone()).into();
                // Registered before the list is read, so that sessions in between cause a notification. A device that
                // refuses the registration counts as absent.
                if manager.RegisterSessionNotification(&new_sessions).is_err() {
                    continue;
                }
                let mut device = Device {
                    manager,
                    new_sessions,
                    sessions: Vec::new(),
                };
                if device.listen(&self.changed, &mut recording.pids).is_ok() {
                    recording.devices += 1;
                    self.devices.push(device);
                }
            }
        }
        recording.pids.sort_unstable();
        recording.pids.dedup();
        Ok(recording)
    }
}

impl Device {
    /// Registers for notifications of every session, and adds the running ones.
    fn listen(&mut self, changed: &Changed, pids: &mut Vec<u32>) -> Result<()> {
        // SAFETY: all interfaces are owned, and live until the end of the call.
        unsafe {
            let sessions = self.manager.GetSessionEnumerator()?;
            for index in 0..sessions.GetCount()? {
                let Ok(session) = sessions.GetSession(index) else {
                    continue;
                };
                let events: IAudioSessionEvents = Listener(changed.clone()).into();
                if session.RegisterAudioSessionNotification(&events).is_err() {
                    continue;
                }
                if session.GetState() == Ok(AudioSessionStateActive)
                    && let Ok(control) = session.cast::<IAudioSessionControl2>()
                    && let Ok(pid) = control.GetProcessId()
                {
                    pids.push(pid);
                }
                self.sessions.push((session, events));
            }
        }
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: each registration is removed once.
        unsafe {
            for (session, events) in &self.sessions {
                let _ = session.UnregisterAudioSessionNotification(events);
            }
            let manager = &self.manager;
            let _ = manager.UnregisterSessionNotification(&self.new_sessions);
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.devices.clear();
        // SAFETY: each registration is removed once.
        let _ = unsafe {
            self.enumerator
                .UnregisterEndpointNotificationCallback(&self.hot_plug)
        };
    }
}

/// Listener for all notifications, which signals a change.
#[implement(IAudioSessionNotification, IAudioSessionEvents, IMMNotificationClient)]
struct Listener(Changed);

impl IAudioSessionNotification_Impl for Listener_Impl {
    fn OnSessionCreated(&self, _: Ref<'_, IAudioSessionControl>) -> Result<()> {
        (self.0)();
        Ok(())
    }
}

impl IAudioSessionEvents_Impl for Listener_Impl {
    fn OnDisplayNameChanged(&self, _: &PCWSTR, _: *const GUID) -> Result<()> {
        Ok(())
    }

    fn OnIconPathChanged(&self, _: &PCWSTR, _: *const GUID) -> Result<()> {
        Ok(())
    }

    fn OnSimpleVolumeChanged(&self, _: f32, _: BOOL, _: *const GUID) -> Result<()> {
        Ok(())
    }

    fn OnChannelVolumeChanged(&self, _: u32, _: *const f32, _: u32, _: *const GUID) -> Result<()> {
        Ok(())
    }

    fn OnGroupingParamChanged(&self, _: *const GUID, _: *const GUID) -> Result<()> {
        Ok(())
    }

    fn OnStateChanged(&self, _: AudioSessionState) -> Result<()> {
        (self.0)();
        Ok(())
    }

    fn OnSessionDisconnected(&self, _: AudioSessionDisconnectReason) -> Result<()> {
        (self.0)();
        Ok(())
    }
}

impl IMMNotificationClient_Impl for Listener_Impl {
    fn OnDeviceStateChanged(&self, _: &PCWSTR, _: DEVICE_STATE) -> Result<()> {
        (self.0)();
        Ok(())
    }

    fn OnDeviceAdded(&self, _: &PCWSTR) -> Result<()> {
        (self.0)();
        Ok(())
    }

    fn OnDeviceRemoved(&self, _: &PCWSTR) -> Result<()> {
        (self.0)();
        Ok(())
    }

    fn OnDefaultDeviceChanged(&self, _: EDataFlow, _: ERole, _: &PCWSTR) -> Result<()> {
        Ok(())
    }

    fn OnPropertyValueChanged(&self, _: &PCWSTR, _: &PROPERTYKEY) -> Result<()> {
        Ok(())
    }
}
