//! Recording sessions of Core Audio: which processes have a microphone open and running. Windows says when a session comes,
//! starts, pauses or ends, and when a device comes or goes; what there is then is read anew.

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

/// Called when something changed; on a thread of Windows', which it must not hold up.
type Changed = Arc<dyn Fn() + Send + Sync>;

/// Who records now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// How many recording devices there are.
    pub devices: usize,
    /// The processes whose session runs.
    pub pids: Vec<u32>,
}

/// Core Audio, as one thread sees it. It stays on the thread that made it.
pub struct Sessions {
    enumerator: IMMDeviceEnumerator,
    changed: Changed,
    hot_plug: IMMNotificationClient,
    devices: Vec<Device>,
}

/// A device that is listened to.
struct Device {
    manager: IAudioSessionManager2,
    new_sessions: IAudioSessionNotification,
    sessions: Vec<(IAudioSessionControl, IAudioSessionEvents)>,
}

impl Sessions {
    /// Begins to listen.
    ///
    /// # Errors
    /// Core Audio is not there.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Result<Self> {
        let changed: Changed = Arc::new(changed);
        let hot_plug: IMMNotificationClient = Listener(changed.clone()).into();
        // SAFETY: takes no pointers; the listener lives until it is unregistered in `drop`.
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

    /// Reads who records now, and listens to all that there is from then on.
    ///
    /// # Errors
    /// Core Audio refuses: it may have been restarted.
    pub fn read(&mut self) -> Result<Recording> {
        self.devices.clear();
        let mut recording = Recording::default();
        // SAFETY: every interface is owned, and lives until the call is over.
        unsafe {
            let list = self
                .enumerator
                .EnumAudioEndpoints(eCapture, DEVICE_STATE_ACTIVE)?;
            for index in 0..list.GetCount()? {
                // A device that was unplugged meanwhile is told of once more.
                let Ok(device) = list.Item(index) else {
                    continue;
                };
                let Ok(manager) = device.Activate::<IAudioSessionManager2>(CLSCTX_ALL, None) else {
                    continue;
                };
                let new_sessions: IAudioSessionNotification = Listener(self.changed.clone()).into();
                // Before the list is read: what comes between is told of.
                // A device that refuses is as good as none; the others are listened to all the same.
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
    /// Listens to every session and adds those that run.
    fn listen(&mut self, changed: &Changed, pids: &mut Vec<u32>) -> Result<()> {
        // SAFETY: every interface is owned, and lives until the call is over.
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
        // SAFETY: what was registered is unregistered once.
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
        // SAFETY: what was registered is unregistered once.
        let _ = unsafe {
            self.enumerator
                .UnregisterEndpointNotificationCallback(&self.hot_plug)
        };
    }
}

/// Hears of everything, and says that something changed.
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
